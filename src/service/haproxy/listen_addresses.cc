#include "service/haproxy/listen_addresses.h"

#include <algorithm>
#include <array>

#include "service/haproxy/globals.h"

namespace certrebind::haproxy {

namespace {

// The index of the word with addresses; 0 for lines that bind nothing.
size_t address_word(const Statement& statement) {
  if (statement.word(0) == "bind") return 1;
  return statement.word(0) == "stats" && statement.word(1) == "socket" ? 2 : 0;
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
  for (const Section& section : config.sections)
    for (const Statement& statement : section.statements) {
      size_t at = address_word(statement);
      if (at == 0 || statement.doubtful || binds_otherwise(statement)) continue;
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
  return found;
}

}  // namespace certrebind::haproxy
