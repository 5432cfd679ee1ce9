// All certificates of this host with their files, keys and bindings, as `certificates` and `show`
// list them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/context.h"
#include "rebind/survey.h"

namespace certrebind {

// One certificate at one path.
struct InventoryItem {
  CertificateOutline certificate;
  std::string der;
  std::string path;
  std::string key_path;  // empty: none at hand
  std::string store;     // kind of the store it lies in; empty for a loose file
  std::vector<const SurveyedBinding*> bindings;  // that name this path
};

// Ordered by expiry, soonest first.
std::vector<InventoryItem> take_inventory(const Files& files, const Settings& settings,
                                          const Survey& survey);

}  // namespace certrebind
