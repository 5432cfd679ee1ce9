// The formats in which described services keep their configurations. Each reads a text into a tree
// of sections and settings. What a format does not know becomes a diagnostic with its line.
//
//   assignments  NAME = VALUE, NAME=VALUE or NAME VALUE; NAME alone has the value "yes". "#" begins
//                a comment
//   words        NAME WORD…; a name in Source::sections begins a section, to which NAME=VALUE among
//                its words belong
//   ini          assignments under [SECTION]; ";" begins a comment, too
//   blocks       assignments, and TYPE ARGUMENT { … }, nested
//   json         objects are sections, named by their key, and a setting "yes" of that name; so are
//                the objects of a list
//   yaml         the same of YAML (yaml.h)
//   lua          of Prosody (lua.h)
//   options      one --NAME=VALUE or "--NAME VALUE" a line; "-" in a name becomes "_"
//   master.cf    Postfix's services: sections "service" with `type`, `address`, `port`, `command`
//                and the -o options (master(5))
//   lookup table Postfix's tables (postmap(1)): a section "entry NAME" with `value` for each entry.
//                Of several with one name the first counts
#pragma once

#include <string>

#include "service/described/settings_tree.h"
#include "service/described/source.h"

namespace certrebind::described {

// Reads `text` into the section `at` of the tree. `file` is its place on this host. `printed`: a
// program printed it, so lines have no place in a file.
void read_format(const Source& source, const std::string& text, const std::string& file,
                 bool printed, size_t at, SettingsTree& tree);

}  // namespace certrebind::described
