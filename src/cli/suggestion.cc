#include "cli/suggestion.h"

#include "base/text.h"

namespace certrebind {

std::string did_you_mean(const std::string& typed, const std::vector<std::string>& words) {
  const std::string meant = closest_to(typed, words);
  return meant.empty() ? "" : "did you mean '" + printable(meant) + "'?";
}

std::string no_site_text(const std::string& typed, const std::vector<std::string>& sites) {
  const std::string meant = did_you_mean(typed, sites);
  return "no server has a site " + printable(typed) + (meant.empty() ? "" : "; " + meant);
}

}  // namespace certrebind
