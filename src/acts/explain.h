// Explains why a name, a listener or a file is served with its certificate, and what the next
// renewal will do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "observe/looking.h"
#include "proof/foreign_listeners.h"
#include "store/renewers.h"
#include "survey/lookup.h"

namespace certrebind {

// Everything about one result of look_up.
struct Explained {
  LookupResult answer;
  std::optional<Result<Served>> served = {};
  std::vector<ForeignListener> foreign = {};  // other processes that take connections there
  std::string served_text = {};
  std::string key_text = {};
  std::optional<Lineage> renewer = {};
  std::string next = {};  // what will happen at the next renewal
};

// Whether renewals are rebound automatically.
struct Automation {
  bool enabled = false;
  bool running = false;
};

// `answers` as returned by look_up.
std::vector<Explained> explain_all(const Looking& at, const Survey& survey,
                                   const Automation& automation, std::vector<LookupResult> answers);

}  // namespace certrebind
