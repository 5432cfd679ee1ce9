// The JSON details of a lifecycle event about its certificates; docs/events.md documents them.
// Thumbprints, subject and names, extended key usages, validity, path.
#pragma once

#include <string>
#include <string_view>

#include "store/successions.h"

namespace certrebind {

// One certificate: its DER and its present or former path; both may be empty.
struct Described {
  std::string_view der;
  std::string path;
};

// "replaced" (1001).
struct ReplacedDetails {
  Described old_one;
  Described new_one;
  How how = How::declared;
  std::string renewer;  // empty: unknown
  std::string key_path;
};
std::string details_of(const ReplacedDetails& details);

// For all other events.
std::string details_of(const Described& certificate);

}  // namespace certrebind
