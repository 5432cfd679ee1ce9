// Why a name, a listener or a file is served with its certificate, and what the next renewal does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "observe/looking.h"
#include "proof/foreign_listeners.h"
#include "store/renewers.h"
#include "survey/lookup.h"

namespace certrebind {

// Everything about one answer.
struct Explained {
  LookupResult answer;
  std::optional<Result<Served>> served = {};
  std::vector<ForeignListener> foreign = {};  // who else takes connections there
  std::string served_text = {};
  std::string key_text = {};
  std::optional<Lineage> renewer = {};
  std::string next = {};  // what would happen at the next renewal
};

// Whether renewals are rebound by themselves.
struct Automation {
  bool enabled = false;
  bool running = false;
};

// `answers` as look_up gives them.
std::vector<Explained> explain_all(const Looking& at, const Survey& survey,
                                   const Automation& automation, std::vector<LookupResult> answers);

}  // namespace certrebind
