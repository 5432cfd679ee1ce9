// On disk a certificate may be shadowed (survey/shadowed.h) while the server, which loaded other
// files or another configuration, still shows it, or shows what lay there before. Then a reload
// would take a certificate from clients, so it is a binding as long as that lasts.
#pragma once

#include "observe/asker.h"
#include "survey/survey.h"

namespace certrebind {

// Moves those from `shadowed` back to `bindings`. Asks no site that a policy leaves alone.
void put_back_shown(Asker& asker, Survey& survey);

}  // namespace certrebind
