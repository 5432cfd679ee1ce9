// All certificates of this host with their files, keys and bindings, as `certificates` and `show`
// list them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "state/settings.h"
#include "store/renewers.h"
#include "survey/survey.h"

namespace certrebind {

// One certificate at one path.
struct InventoryItem {
  CertificateOutline certificate;
  std::string der;
  std::string path;
  std::string key_path;  // empty: none at hand
  std::string store;     // kind of the store it lies in; empty for a loose file
  std::vector<const SurveyedBinding*> bindings;  // that name this path
  std::optional<Lineage> renewer;                // none: nobody renews it
};

// Ordered by expiry, soonest first.
std::vector<InventoryItem> take_inventory(const Files& files, const Settings& settings,
                                          const Survey& survey);

// What a person typed means this one: a thumbprint or its prefix, the absolute path, a name that it
// covers.
bool is_meant(const InventoryItem& item, const std::string& typed);

}  // namespace certrebind
