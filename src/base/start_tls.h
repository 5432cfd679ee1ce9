// The protocols in which a client asks for TLS in plain text first.
#pragma once

#include <optional>
#include <string_view>

namespace certrebind {

// `none`: TLS begins with the first byte.
enum class StartTls {
  none,
  smtp,
  lmtp,
  imap,
  pop3,
  sieve,
  ftp,
  ldap,
  postgres,
  mysql,
  xmpp_client,
  xmpp_server,
  nntp,
};

// "none", "smtp", "xmpp-client"
std::string_view to_text(StartTls dialect);

// The dialect of that name, as to_text writes it.
std::optional<StartTls> start_tls_named(std::string_view name);

}  // namespace certrebind
