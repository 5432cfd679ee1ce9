#include "base/start_tls.h"

#include <algorithm>
#include <array>

namespace certrebind {

namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 13> kDialects{
    "none", "smtp",     "lmtp",  "imap",        "pop3",        "sieve", "ftp",
    "ldap", "postgres", "mysql", "xmpp-client", "xmpp-server", "nntp"};

}  // namespace

std::string_view to_text(StartTls dialect) {
  return kDialects.at(static_cast<size_t>(dialect));
}

std::optional<StartTls> start_tls_named(std::string_view name) {
  const auto* found = std::ranges::find(kDialects, name);
  if (found == kDialects.end()) return std::nullopt;
  return static_cast<StartTls>(found - kDialects.begin());
}

}  // namespace certrebind
