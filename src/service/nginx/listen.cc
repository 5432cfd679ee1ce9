#include "service/nginx/listen.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/number.h"
#include "base/text.h"
#include "sys/ip_text.h"

namespace certrebind::nginx {

namespace {

constexpr std::string_view kWhitespace = " \t";

struct Ports {
  uint16_t first = 0;
  uint16_t last = 0;
};

std::optional<uint16_t> parse_port(std::string_view text) {
  const auto port = whole_number<uint16_t>(text);
  return port == 0 ? std::nullopt : port;
}

// "443" or "8000-8010" (since 1.15.10).
std::optional<Ports> parse_ports(std::string_view text) {
  size_t dash = text.find('-');
  auto first = parse_port(text.substr(0, dash));
  auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return Ports{*first, *last};
}

// An address split into host and port, without brackets.
struct HostAndPort {
  std::string host;
  std::string port;  // empty if not given
  bool bracketed = false;
};

std::optional<HostAndPort> split_address(std::string_view text) {
  if (text.starts_with('[')) {
    size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && (rest[0] != ':' || rest.size() == 1)) return std::nullopt;
    return HostAndPort{std::string(text.substr(1, close - 1)),
                       std::string(rest.empty() ? rest : rest.substr(1)), true};
  }
  size_t colon = text.find(':');
  if (colon != std::string_view::npos)
    return HostAndPort{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1)),
                       false};
  if (parse_ports(text)) return HostAndPort{"*", std::string(text), false};
  return HostAndPort{std::string(text), "", false};
}

Listen ipv4_listen(std::string host) {
  Listen listen;
  listen.host = host == "0.0.0.0" ? "" : std::move(host);
  return listen;
}

Listen ipv6_listen(std::string host) {
  Listen listen;
  listen.family = Family::ipv6;
  listen.host = host == "::" ? "" : std::move(host);
  return listen;
}

std::vector<Listen> named_listens(const std::string& name, HostNames& hosts) {
  std::vector<Listen> listens;
  for (const std::string& address : hosts.addresses(name))
    listens.push_back(address.find(':') == std::string::npos ? ipv4_listen(address)
                                                             : ipv6_listen(address));
  if (!listens.empty()) return listens;
  listens.emplace_back();
  listens.back().family = Family::unresolved;
  listens.back().host = name;
  return listens;
}

// The addresses of a host, without port; empty if it is not an address.
std::vector<Listen> host_listens(const HostAndPort& parts, HostNames& hosts) {
  if (parts.bracketed) {
    auto address = canonical_ipv6(parts.host);
    if (!address) return {};
    return {ipv6_listen(*address)};
  }
  if (parts.host == "*") return {ipv4_listen("0.0.0.0")};
  if (parts.host.empty()) return {};
  if (auto address = canonical_ipv4(parts.host)) return {ipv4_listen(*address)};
  return named_listens(to_lower(parts.host), hosts);
}

void name_listen(Listen& listen) {
  std::string host = listen.wildcard() ? "*" : listen.host;
  if (listen.family == Family::ipv6) host = fmt::format("[{}]", listen.wildcard() ? "::" : host);
  listen.text = fmt::format("{}:{}", host, listen.port);
}

void apply_options(std::span<const Word> options, Listen& listen) {
  for (const Word& option : options) {
    std::string_view value = option.value;
    if (value == "ssl") listen.ssl = true;
    if (value == "proxy_protocol") listen.proxy_protocol = true;
    if (value == "default_server" || value == "default") listen.default_server = true;
    if (value == "quic" || value == "http3" || value == "udp") listen.udp = true;
    if (value == "ipv6only=off") listen.ipv6only = false;
    if (value == "reuseport") listen.reuseport = true;
  }
}

ListenAddresses parse_address(std::string_view text, bool stream, HostNames& hosts) {
  if (text.starts_with("unix:")) {
    Listen listen;
    listen.family = Family::unix_socket;
    listen.text = text;
    listen.unix_path = text.substr(5);
    return {{listen}, listen.unix_path.empty() ? "no path in the unix domain socket" : ""};
  }
  auto parts = split_address(text);
  if (!parts) return {{}, "invalid address"};
  if (parts->port.empty() && stream) return {{}, "no port"};
  auto ports = parse_ports(parts->port.empty() ? "80" : parts->port);
  if (!ports) return {{}, "invalid port"};
  std::vector<Listen> hosts_of = host_listens(*parts, hosts);
  if (hosts_of.empty()) return {{}, "invalid host"};
  ListenAddresses found;
  for (Listen& listen : hosts_of)
    for (uint32_t port = ports->first; port <= ports->last; ++port) {
      listen.port = static_cast<uint16_t>(port);
      name_listen(listen);
      found.addresses.push_back(listen);
    }
  return found;
}

}  // namespace

ListenAddresses ListenParser::parse(std::span<const Word> arguments, bool stream) {
  if (arguments.empty()) return {{}, "no address"};
  std::string_view address = arguments.front().value;
  auto [known, first] = known_[stream].try_emplace(address);
  if (first) known->second = parse_address(address, stream, hosts_);
  ListenAddresses found = known->second;
  for (Listen& listen : found.addresses) apply_options(arguments.subspan(1), listen);
  return found;
}

Listen default_listen() {
  Listen listen;
  listen.port = 80;
  name_listen(listen);
  return listen;
}

}  // namespace certrebind::nginx
