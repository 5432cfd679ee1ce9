#include "sys/ip_text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/number.h"
#include "base/text.h"

namespace certrebind {

namespace {

std::string written(int family, const void* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, bytes, text.data(), text.size());
  return text.data();
}

}  // namespace

// Does not use inet_pton(3), because servers accept leading zeros and it does not.
std::optional<std::string> canonical_ipv4(std::string_view text) {
  const std::vector<std::string> parts = split(text, '.');
  std::array<unsigned char, 4> bytes{};
  if (parts.size() != bytes.size()) return std::nullopt;
  for (size_t i = 0; i < bytes.size(); ++i) {
    auto value = whole_number<unsigned char>(parts[i]);
    if (!value) return std::nullopt;
    bytes[i] = *value;
  }
  return written(AF_INET, bytes.data());
}

std::optional<std::string> canonical_ipv6(std::string_view text) {
  in6_addr address{};
  if (inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return written(AF_INET6, &address);
}

std::string canonical_ip(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  auto canonical = text.contains(':') ? canonical_ipv6(text) : canonical_ipv4(text);
  return canonical ? *canonical : std::string(text);
}

std::string ip_text(std::string_view bytes) {
  if (bytes.size() == 4) return written(AF_INET, bytes.data());
  return bytes.size() == 16 ? written(AF_INET6, bytes.data()) : to_hex(bytes);
}

std::optional<Ip> ip_of(const std::string& host) {
  Ip ip{};
  std::string text = host.substr(0, host.find('%'));
  if (text.find(':') == std::string::npos) text = "::ffff:" + text;
  if (::inet_pton(AF_INET6, text.c_str(), ip.data()) != 1) return std::nullopt;
  return ip;
}

bool looks_like_ip(std::string_view text) {
  if (text.contains(':')) return true;
  auto numeric = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  return std::ranges::count(text, '.') == 3 && std::ranges::all_of(text, numeric);
}

}  // namespace certrebind
