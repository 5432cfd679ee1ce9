// What a lifecycle event carries about its certificates, as JSON: docs/events.md documents it.
// Thumbprints, subject and names, extended key usages, validity, path.
#pragma once

#include <string>
#include <string_view>

#include "store/successions.h"

namespace certrebind {

// One certificate, from its DER and where it lies or lay; both may be empty.
struct Described {
  std::string_view der;
  std::string path;
};

// "replaced" (1001).
struct ReplacedDetails {
  Described old_one;
  Described new_one;
  How how = How::declared;
  std::string renewer;  // empty: not known
  std::string key_path;
};
std::string details_of(const ReplacedDetails& details);

// Everything else.
std::string details_of(const Described& certificate);

}  // namespace certrebind
