// On disk a certificate may be shadowed (survey/shadowed.h) while the server has loaded other files
// or another configuration. Then a reload might take something from clients, so it is a binding as
// long as that lasts, in two cases: one of the two files had another type of key, which the server
// still shows; or the site is hidden since the last edit only, and still answers. A certificate
// that merely gives way to a later one of its type at the next reload is no binding.
#pragma once

#include "observe/asker.h"
#include "survey/survey.h"

namespace certrebind {

// Moves those from `shadowed` back to `bindings`. Asks no site that a policy leaves alone.
void put_back_shown(Asker& asker, Survey& survey);

}  // namespace certrebind
