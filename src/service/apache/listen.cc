#include "service/apache/listen.h"

#include <fmt/format.h>

#include "base/number.h"
#include "base/text.h"
#include "sys/ip_text.h"

namespace certrebind::apache {

namespace {

std::optional<uint16_t> parse_port(std::string_view text) {
  const auto port = whole_number<uint16_t>(text);
  return port == 0 ? std::nullopt : port;
}

struct HostAndPort {
  std::string host;  // without brackets
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
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return HostAndPort{std::string(text), "", false};
  return HostAndPort{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1)),
                     false};
}

Socket of_ipv4(const std::string& host) {
  return {Family::ipv4, host == "0.0.0.0" ? std::string() : host, 0};
}

// "192.0.2.1" for "::ffff:192.0.2.1"; unset for other addresses.
std::optional<std::string> mapped_ipv4(std::string_view host) {
  constexpr std::string_view kMapped = "::ffff:";
  if (!host.starts_with(kMapped)) return std::nullopt;
  return canonical_ipv4(host.substr(kMapped.size()));
}

// httpd treats an IPv4 address in IPv6 form as the same address.
Socket of_ipv6(const std::string& host) {
  if (auto mapped = mapped_ipv4(host)) return of_ipv4(*mapped);
  return {Family::ipv6, host == "::" ? std::string() : host, 0};
}

std::vector<Socket> resolve(const HostAndPort& parts, HostNames& hosts) {
  if (parts.bracketed) {
    auto address = canonical_ipv6(parts.host.substr(0, parts.host.find('%')));
    if (!address) return {};
    return {of_ipv6(*address)};
  }
  if (auto address = canonical_ipv4(parts.host)) return {of_ipv4(*address)};
  std::vector<Socket> found;
  std::string name = to_lower(parts.host);
  for (const std::string& address : hosts.addresses(name))
    found.push_back(address.find(':') == std::string::npos ? of_ipv4(address) : of_ipv6(address));
  if (found.empty()) found.push_back({Family::unresolved, name, 0});
  return found;
}

Addresses with_port(std::vector<Socket> sockets, uint16_t port) {
  if (sockets.empty()) return {{}, "invalid address"};
  for (Socket& socket : sockets) socket.port = port;
  return {std::move(sockets), ""};
}

}  // namespace

std::string Socket::text() const {
  std::string shown = wildcard() ? "*" : host;
  if (family == Family::ipv6) shown = fmt::format("[{}]", wildcard() ? "::" : host);
  if (family == Family::ipv4 && wildcard()) shown = "0.0.0.0";
  return port == 0 ? shown + ":*" : fmt::format("{}:{}", shown, port);
}

Addresses parse_listen(std::string_view text, HostNames& hosts) {
  if (auto port = parse_port(text)) return {{Socket{Family::any, "", *port}}, ""};
  auto parts = split_address(text);
  if (!parts) return {{}, "invalid address"};
  auto port = parse_port(parts->port);
  if (!port) return {{}, "invalid port"};
  if (parts->host == "*") return {{Socket{Family::any, "", *port}}, ""};
  return with_port(resolve(*parts, hosts), *port);
}

Addresses parse_host_address(std::string_view text, uint16_t default_port, HostNames& hosts) {
  auto parts = split_address(text);
  if (!parts) return {{}, "invalid address"};
  if (parts->port.empty() && parts->host != "*" && default_port != 0)
    parts->port = std::to_string(default_port);
  bool every_port = parts->port.empty() || parts->port == "*";
  auto port = every_port ? std::optional<uint16_t>(0) : parse_port(parts->port);
  if (!port) return {{}, "invalid port"};
  if (parts->host == "*" || to_lower(parts->host) == "_default_")
    return {{Socket{Family::any, "", *port}}, ""};
  return with_port(resolve(*parts, hosts), *port);
}

}  // namespace certrebind::apache
