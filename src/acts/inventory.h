// All certificates of this host with their files, keys and bindings, for `certificates` and `show`.
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
  std::string key_path;  // empty: none found
  std::string store;     // kind of the store that contains it; empty for a file outside all stores
  std::vector<const SurveyedBinding*> bindings;  // the bindings that name this path
  std::optional<Lineage> renewer;                // empty: no renewer
};

// Sorted by expiry, soonest first.
std::vector<InventoryItem> take_inventory(const Files& files, const Settings& settings,
                                          const Survey& survey);

// True if the user means this item by `typed`: a thumbprint or its prefix, an absolute path, or a
// name that the certificate covers.
bool is_meant(const InventoryItem& item, const std::string& typed);

}  // namespace certrebind
