// The bindings of a described service: which listener shows which certificate.
//
// A listener shows the certificate that its own section names, or else the nearest section around
// it. A certificate with names is shown to clients that send one of these names, at every listener
// of its section or around it.
#pragma once

#include <map>
#include <string>

#include "service/described/description.h"
#include "service/described/settings_tree.h"
#include "service/root.h"

namespace certrebind::described {

Discovery discover_bindings(const Description& description, SettingsTree tree,
                            const std::map<std::string, std::string>& fixed, Root& root);

}  // namespace certrebind::described
