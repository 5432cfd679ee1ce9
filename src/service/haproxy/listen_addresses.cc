#include "service/haproxy/listen_addresses.h"

#include <algorithm>
#include <array>

#include "service/haproxy/globals.h"

namespace certrebind::haproxy {

namespace {

bool binds_address(const Statement& statement, const Config& config) {
  const bool of_other_peer =
      statement.word(0) == "peer" && !is_local_peer(statement, config.local_peer);
  return address_word(statement) > 0 && !of_other_peer && !statement.doubtful;
}

bool binds_otherwise(const Statement& statement) {
  constexpr std::array<std::string_view, 3> kOptions = {"namespace", "interface", "transparent"};
  return std::ranges::any_of(statement.words, [&](const Word& word) {
    return std::ranges::find(kOptions, word.value) != kOptions.end();
  });
}

bool is_for_itself(const Config& config) {
  for (const Section& section : config.sections)
    for (const Statement& statement : section.statements)
      if (section.head.word(0) == "global" && statement.word(0) == "noreuseport") return true;
  return false;
}

bool has_word(const Statement& statement, std::string_view wanted) {
  return std::ranges::any_of(statement.words,
                             [&](const Word& word) { return word.value == wanted; });
}

}  // namespace

std::vector<ListenAddress> listen_addresses(const Config& config) {
  using Family = BindAddress::Family;
  bool shared = !is_for_itself(config);
  std::vector<ListenAddress> found;
  for (const Section& section : config.sections) {
    if (is_disabled(section)) continue;
    for (const Statement& statement : section.statements) {
      if (!binds_address(statement, config) || binds_otherwise(statement)) continue;
      const size_t at = address_word(statement);
      for (const BindAddress& bound : parse_addresses(statement.word(at), "")) {
        bool ipv6 = bound.family == Family::ipv6;
        if (!bound.unknown.empty() || bound.quic || (bound.family != Family::ipv4 && !ipv6))
          continue;
        auto add = [&](const char* wildcard) {
          found.push_back({.address = {bound.host.empty() ? wildcard : bound.host, bound.port, ""},
                           .where = span_of(statement.place, statement.words[at]).text(),
                           .shared = shared});
        };
        add(ipv6 ? "::" : "0.0.0.0");
        if (ipv6 && bound.host.empty() && has_word(statement, "v4v6")) add("0.0.0.0");
      }
    }
  }
  return found;
}

}  // namespace certrebind::haproxy
