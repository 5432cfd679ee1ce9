#include "service/haproxy/bind_options.h"

#include <algorithm>
#include <array>

namespace certrebind::haproxy {

namespace {

// Words of a `bind` line that take a value: the next word is not a keyword.
constexpr std::array<std::string_view, 52> kWithValue = {"accept-netscaler-cip",
                                                         "alpn",
                                                         "backlog",
                                                         "curves",
                                                         "ecdhe",
                                                         "ca-file",
                                                         "ca-ignore-err",
                                                         "ca-sign-file",
                                                         "ca-sign-pass",
                                                         "ca-verify-file",
                                                         "ciphers",
                                                         "ciphersuites",
                                                         "client-sigalgs",
                                                         "sigalgs",
                                                         "crl-file",
                                                         "crt",
                                                         "crt-ignore-err",
                                                         "crt-list",
                                                         "default-crt",
                                                         "gid",
                                                         "group",
                                                         "guid-prefix",
                                                         "id",
                                                         "idle-ping",
                                                         "interface",
                                                         "level",
                                                         "severity-output",
                                                         "maxconn",
                                                         "mode",
                                                         "mss",
                                                         "name",
                                                         "namespace",
                                                         "nice",
                                                         "npn",
                                                         "ocsp-update",
                                                         "process",
                                                         "proto",
                                                         "shards",
                                                         "ssl-max-ver",
                                                         "ssl-min-ver",
                                                         "tcp-ut",
                                                         "thread",
                                                         "tls-ticket-keys",
                                                         "uid",
                                                         "user",
                                                         "verify",
                                                         "expose-fd",
                                                         "nbconn",
                                                         "label",
                                                         "quic-cc-algo",
                                                         "quic-socket",
                                                         "ktls"};

}  // namespace

bool takes_value(std::string_view keyword) {
  return std::ranges::find(kWithValue, keyword) != kWithValue.end();
}

BindOptions default_options(const Globals& globals) {
  return {.strict_by_default = globals.strict_sni,
          .ciphers = globals.ciphers,
          .only_newest = globals.only_newest};
}

void add_options(const Statement& statement, size_t first, BindOptions& options) {
  for (size_t i = first; i < statement.words.size(); ++i) {
    const std::string_view word = statement.word(i), value = statement.word(i + 1);
    if (word == "ssl") {
      options.tls = true;
      options.strict_sni |= options.strict_by_default;
    }
    options.names_certificate |= word == "crt" || word == "crt-list" || word == "default-crt";
    if (word == "strict-sni") options.strict_sni = true;
    if (word == "no-strict-sni") options.strict_sni = false;
    options.accepts_proxy |= word == "accept-proxy";
    options.needs_other_header |= word == "accept-netscaler-cip";
    options.both_families |= word == "v4v6";
    if (word == "ocsp-update") options.updates_ocsp = value == "on";
    if (word == "ciphers") options.ciphers = value;
    if (word == "ssl-min-ver") options.only_newest = value == "TLSv1.3";
    if (takes_value(word)) ++i;
  }
}

}  // namespace certrebind::haproxy
