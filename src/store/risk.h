// What may be worse about NEW than about OLD, and yet be wanted. A person accepts each by its name;
// what would be an outage for every client has none.
#pragma once

#include <optional>
#include <set>
#include <string>

namespace certrebind {

enum class Risk {
  shorter,     // NEW expires before OLD
  name_lost,   // a site has a name that OLD covers and NEW does not
  weaker_key,  // the key of NEW is weaker
  chain,       // clients that could build a chain from OLD may not be able to from NEW
};
using Risks = std::set<Risk>;

std::string to_text(Risk risk);  // "shorter", "name-lost", …
// Unset for any other text.
std::optional<Risk> risk_named(const std::string& text);
// "shorter, name-lost, weaker-key, chain"
std::string all_risks();

// The names, separated by spaces, and back. Unknown ones are skipped.
std::string to_text(const Risks& risks);
Risks risks_named(const std::string& text);

}  // namespace certrebind
