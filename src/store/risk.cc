#include "store/risk.h"

#include <algorithm>
#include <sstream>
#include <utility>
#include <vector>

#include "base/text.h"

namespace certrebind {

namespace {

constexpr std::pair<Risk, const char*> kRisks[] = {{Risk::shorter, "shorter"},
                                                   {Risk::name_lost, "name-lost"},
                                                   {Risk::weaker_key, "weaker-key"},
                                                   {Risk::chain, "chain"}};

}  // namespace

std::string to_text(Risk risk) {
  return std::ranges::find(kRisks, risk, &std::pair<Risk, const char*>::first)->second;
}

std::optional<Risk> risk_named(const std::string& text) {
  auto found = std::ranges::find_if(kRisks, [&](const auto& each) { return text == each.second; });
  return found == std::end(kRisks) ? std::nullopt : std::optional(found->first);
}

std::string all_risks() {
  std::vector<std::string> names;
  for (const auto& [risk, name] : kRisks) names.emplace_back(name);
  return join(names, ", ");
}

std::string to_text(const Risks& risks) {
  std::vector<std::string> names;
  for (Risk risk : risks) names.push_back(to_text(risk));
  return join(names, " ");
}

Risks risks_named(const std::string& text) {
  Risks risks;
  std::istringstream words(text);
  for (std::string word; words >> word;)
    if (auto risk = risk_named(word)) risks.insert(*risk);
  return risks;
}

}  // namespace certrebind
