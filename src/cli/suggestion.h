// What a mistyped word probably means.
#pragma once

#include <string>
#include <vector>

namespace certrebind {

// "did you mean 'check'?"; empty if no word is close enough.
std::string did_you_mean(const std::string& typed, const std::vector<std::string>& words);

// "no server has a site x; did you mean 'y'?", as one line.
std::string no_site_text(const std::string& typed, const std::vector<std::string>& sites);

}  // namespace certrebind
