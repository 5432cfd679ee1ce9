#include "service/haproxy/globals.h"

#include <charconv>

#include "base/number.h"
#include "base/text.h"
#include "service/host_names.h"
#include "sys/ip_text.h"

namespace certrebind::haproxy {

namespace {

constexpr uint16_t kMostPorts =
    1024;  // maximum for one range; a larger one is not a list of listeners

// "unix@", "ipv6@" and similar prefixes of an address.
struct Prefix {
  std::string_view name;
  BindAddress::Family family;
  bool quic;
};
constexpr Prefix kPrefixes[] = {
    {"ip@", BindAddress::Family::ipv4, false},
    {"ipv4@", BindAddress::Family::ipv4, false},
    {"ipv6@", BindAddress::Family::ipv6, false},
    {"mptcp@", BindAddress::Family::ipv4, false},
    {"mptcp4@", BindAddress::Family::ipv4, false},
    {"mptcp6@", BindAddress::Family::ipv6, false},
    {"tcp@", BindAddress::Family::ipv4, false},
    {"tcp4@", BindAddress::Family::ipv4, false},
    {"tcp6@", BindAddress::Family::ipv6, false},
    {"quic@", BindAddress::Family::ipv4, true},
    {"quic4@", BindAddress::Family::ipv4, true},
    {"quic6@", BindAddress::Family::ipv6, true},
    {"unix@", BindAddress::Family::unix_socket, false},
    {"uxst@", BindAddress::Family::unix_socket, false},
    {"abns@", BindAddress::Family::unix_socket, false},
    {"abnsz@", BindAddress::Family::unix_socket, false},
};

// "stream+" and "quic+" stand before any prefix, and before none.
std::string_view without_socket_type(std::string_view text, BindAddress& address) {
  constexpr std::string_view kStream = "stream+", kQuic = "quic+";
  address.quic = text.starts_with(kQuic);
  if (address.quic) return text.substr(kQuic.size());
  return text.starts_with(kStream) ? text.substr(kStream.size()) : text;
}

void set_unix(std::string_view prefix, std::string_view rest, std::string_view unix_prefix,
              BindAddress& address) {
  address.family = BindAddress::Family::unix_socket;
  if (prefix == "abns@" || prefix == "abnsz@") {
    address.path = "@" + std::string(rest);
    // Only the newer kind ends with its name. The other one pads sun_path with zeros (unix(7)).
    if (prefix == "abns@") address.path.resize(kLongestUnixPath, '\0');
    return;
  }
  address.path = absolute_in("/", std::string(unix_prefix) + std::string(rest));
}

// "HOST:PORT": the last colon separates them; an IPv6 address may have brackets.
void set_host(std::string_view host, bool v6, BindAddress& address) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || host == "*") {
    if (v6) address.family = BindAddress::Family::ipv6;
    return;
  }
  if (auto canonical = canonical_ipv4(host)) {
    address.host = *canonical == "0.0.0.0" ? "" : *canonical;
  } else if (auto longer = canonical_ipv6(host)) {
    address.family = BindAddress::Family::ipv6;
    address.host = *longer == "::" ? "" : *longer;
  } else {
    address.host = std::string(host);
    address.family = BindAddress::Family::other;
  }
}

void add_ports(BindAddress address, std::string_view ports, std::vector<BindAddress>& into) {
  size_t dash = ports.find('-');
  auto first = whole_number<uint16_t>(ports.substr(0, dash));
  auto last =
      dash == std::string_view::npos ? first : whole_number<uint16_t>(ports.substr(dash + 1));
  if (!first || !last || *last < *first || *last - *first > kMostPorts) {
    address.unknown = "its port is not understood";
    into.push_back(std::move(address));
    return;
  }
  std::string head = address.text.substr(0, address.text.rfind(':') + 1);
  for (uint32_t port = *first; port <= *last; ++port) {
    address.port = static_cast<uint16_t>(port);
    address.text = head + std::to_string(port);
    into.push_back(address);
  }
}

void add_address(std::string_view text, std::string_view unix_prefix,
                 std::vector<BindAddress>& into) {
  BindAddress address;
  address.text = std::string(text);
  std::string_view rest = without_socket_type(text, address), name;
  for (const Prefix& prefix : kPrefixes)
    if (rest.starts_with(prefix.name)) {
      name = prefix.name;
      rest.remove_prefix(name.size());
      address.family = prefix.family;
      address.quic |= prefix.quic;
      break;
    }
  if (name.empty() && rest.find('@') != std::string_view::npos && !rest.starts_with('/')) {
    address.family = BindAddress::Family::other;
    address.unknown = "a socket that somebody hands over has no address";
    into.push_back(std::move(address));
    return;
  }
  if (address.family == BindAddress::Family::unix_socket || rest.starts_with('/')) {
    set_unix(name, rest, unix_prefix, address);
    into.push_back(std::move(address));
    return;
  }
  size_t colon = rest.rfind(':');
  bool v6 = address.family == BindAddress::Family::ipv6;
  set_host(rest.substr(0, colon), v6, address);
  if (colon == std::string_view::npos) {
    address.unknown = "it has no port";
    into.push_back(std::move(address));
    return;
  }
  // ":::443" and "[::]:443" mean all of IPv6, ":443" and "*:443" all of IPv4.
  if (colon > 0 && rest.substr(0, colon).find(':') != std::string_view::npos)
    address.family = BindAddress::Family::ipv6;
  add_ports(std::move(address), rest.substr(colon + 1), into);
}

std::string prefix_of_unix_sockets(const Config& config) {
  for (const Section& section : config.sections)
    for (const Statement& statement : section.statements)
      if (section.head.word(0) == "global" && statement.word(0) == "unix-bind")
        for (size_t i = 1; i + 1 < statement.words.size(); ++i)
          if (statement.word(i) == "prefix") return std::string(statement.word(i + 1));
  return {};
}

// The addresses through which a `stats socket` can be reached.
std::vector<std::string> hosts_of(const BindAddress& address, const Root& root) {
  if (address.family == BindAddress::Family::other)
    return HostNames(root).addresses(to_lower(address.host));
  if (!address.host.empty()) return {address.host};
  return {address.family == BindAddress::Family::ipv6 ? "::1" : "127.0.0.1"};
}

// `stats socket ADDRESS … level admin`. Without it the level is "operator".
void add_socket(const Statement& statement, const Root& root, Globals& globals) {
  bool admin = false;
  for (size_t i = 3; i + 1 < statement.words.size(); ++i)
    if (statement.word(i) == "level") admin = statement.word(i + 1) == "admin";
  if (!admin || statement.doubtful) return;
  for (const BindAddress& address : parse_addresses(statement.word(2), globals.unix_prefix)) {
    if (!address.unknown.empty()) continue;
    if (address.family == BindAddress::Family::unix_socket) {
      bool is_abstract = address.path.starts_with('@');
      globals.admin_sockets.push_back(
          {"", 0, is_abstract ? address.path : root.on_host(address.path)});
      continue;
    }
    // Keys are sent there unencrypted, so only to this machine.
    for (const std::string& host : hosts_of(address, root))
      if (host.starts_with("127.") || host == "::1")
        globals.admin_sockets.push_back({host, address.port, ""});
  }
}

void set_extra_files(const Statement& statement, Globals& globals) {
  globals.extra_bundle = globals.extra_key = globals.extra_ocsp = globals.extra_issuer =
      globals.extra_timestamps = false;
  for (size_t i = 1; i < statement.words.size(); ++i) {
    std::string_view word = statement.word(i);
    bool all = word == "all";
    globals.extra_bundle |= all || word == "bundle";
    globals.extra_key |= all || word == "key";
    globals.extra_ocsp |= all || word == "ocsp";
    globals.extra_issuer |= all || word == "issuer";
    globals.extra_timestamps |= all || word == "sctl";
  }
}

void read_global(const Statement& statement, const Root& root, Globals& globals) {
  std::string_view name = statement.word(0);
  std::string value(statement.word(1));
  if (name == "ssl-load-extra-files") set_extra_files(statement, globals);
  if (name == "ssl-load-extra-del-ext") globals.removes_extension = true;
  if (name == "stats" && value == "socket") add_socket(statement, root, globals);
  if (name == "ssl-default-bind-options")
    for (size_t i = 1; i < statement.words.size(); ++i) {
      if (statement.word(i) == "strict-sni") globals.strict_sni = true;
      if (statement.word(i) == "no-strict-sni") globals.strict_sni = false;
      globals.only_newest |=
          statement.word(i) == "ssl-min-ver" && statement.word(i + 1) == "TLSv1.3";
    }
  if (name == "ssl-default-bind-ciphers") globals.ciphers = value;
  if (name == "tune.bufsize")
    std::from_chars(value.data(), value.data() + value.size(), globals.buffer_size);
}

}  // namespace

std::vector<BindAddress> parse_addresses(std::string_view argument, std::string_view unix_prefix) {
  std::vector<BindAddress> addresses;
  for (const std::string& part : split(argument, ','))
    if (!part.empty()) add_address(part, unix_prefix, addresses);
  return addresses;
}

Globals read_globals(const Config& config, const Root& root) {
  Globals globals;
  globals.unix_prefix = prefix_of_unix_sockets(config);
  for (const Section& section : config.sections)
    if (section.head.word(0) == "global")
      for (const Statement& statement : section.statements) read_global(statement, root, globals);
  return globals;
}

}  // namespace certrebind::haproxy
