#include "daemon/task_variables.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace certrebind {

namespace {

constexpr std::array<std::string_view, 11> kVariables = {
    "OldCertHash", "NewCertHash", "OldCertSha1", "NewCertSha1", "EventRecordId", "EventId",
    "Names",       "Path",        "Lineage",     "Service",     "TaskName"};

struct VariablePlace {
  size_t begin = std::string::npos;
  size_t end = std::string::npos;  // after the bracket; npos: there is none
};

VariablePlace next_place(const std::string& text, size_t from) {
  VariablePlace place;
  place.begin = text.find("$(", from);
  if (place.begin == std::string::npos) return place;
  size_t bracket = text.find(')', place.begin);
  if (bracket != std::string::npos) place.end = bracket + 1;
  return place;
}

std::string name_at(const std::string& text, const VariablePlace& place) {
  return text.substr(place.begin + 2, place.end - place.begin - 3);
}

}  // namespace

std::vector<std::string> variable_names() {
  std::vector<std::string> names;
  for (std::string_view name : kVariables) names.push_back("$(" + std::string(name) + ")");
  return names;
}

std::optional<std::string> unknown_variable(const std::string& text) {
  for (VariablePlace place = next_place(text, 0); place.begin != std::string::npos;
       place = next_place(text, place.end)) {
    bool known = place.end != std::string::npos &&
                 std::ranges::find(kVariables, name_at(text, place)) != kVariables.end();
    if (!known) return text.substr(place.begin, place.end - place.begin);
  }
  return std::nullopt;
}

std::string substitute(const std::string& text,
                       const std::function<std::string(const std::string&)>& value_of) {
  std::string out;
  size_t at = 0;
  for (VariablePlace place = next_place(text, 0); place.end != std::string::npos;
       place = next_place(text, at)) {
    out += text.substr(at, place.begin - at) + value_of(name_at(text, place));
    at = place.end;
  }
  return out + text.substr(at);
}

}  // namespace certrebind
