#include "service/host_names.h"

#include <algorithm>

#include "base/text.h"
#include "sys/ip_text.h"

namespace certrebind {

const std::vector<std::string>& HostNames::addresses(const std::string& name) {
  if (!was_read_) read();
  return names_[name];
}

// hosts(5): each line has an address, then its names, up to a "#".
void HostNames::read() {
  was_read_ = true;
  auto text = root_.files().read(root_.on_host("/etc/hosts"), kConfigLimit);
  if (!text) return;
  for (const std::string& line : split(*text, '\n')) {
    std::string rest = line.substr(0, line.find('#'));
    for (char& c : rest)
      if (c == '\t' || c == '\r') c = ' ';
    std::vector<std::string> words = split(rest, ' ');
    std::erase(words, "");
    if (words.empty()) continue;
    auto address = canonical_ipv4(words[0]);
    if (!address) address = canonical_ipv6(words[0]);
    if (!address) continue;
    for (size_t i = 1; i < words.size(); ++i) {
      std::vector<std::string>& known = names_[to_lower(words[i])];
      if (std::find(known.begin(), known.end(), *address) == known.end()) known.push_back(*address);
    }
  }
}

}  // namespace certrebind
