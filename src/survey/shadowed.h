// Certificates that are named for a site but never shown. Of several with one key type a server
// shows only the last, and a site whose names all belong to earlier sites is never chosen. Such a
// certificate is no binding: no proof expects it, and nothing is refused or advised because of it.
//
// The survey knows only the files on disk. What the server has in memory may differ; see
// observe/shadowed_in_memory.h.
#pragma once

#include "survey/survey.h"

namespace certrebind {

// Moves them from `bindings` to `shadowed`, and adds one note for each directive that names one.
void set_shadowed_apart(Survey& survey);
// For commands about files that are named, shown or not.
void put_all_back(Survey& survey);

}  // namespace certrebind
