#include "x509/ip.h"

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "x509/openssl.h"

namespace certrebind {

namespace {

std::string ipv6_text(std::string_view bytes) {
  std::array<unsigned, 8> groups{};
  for (size_t i = 0; i < 8; ++i)
    groups[i] = static_cast<unsigned>(static_cast<unsigned char>(bytes[2 * i]) << 8 |
                                      static_cast<unsigned char>(bytes[2 * i + 1]));
  // RFC 5952 section 4.2: the first of the longest runs of two or more zero groups becomes "::".
  size_t best = 8, best_length = 1;
  for (size_t i = 0; i < 8; ++i) {
    size_t length = 0;
    while (i + length < 8 && groups[i + length] == 0) ++length;
    if (length > best_length) best = i, best_length = length;
  }
  std::string text;
  for (size_t i = 0; i < 8; ++i) {
    if (i == best) {
      text += "::";
      i += best_length - 1;
      continue;
    }
    if (!text.empty() && !text.ends_with(':')) text += ':';
    text += fmt::format("{:x}", groups[i]);
  }
  return text;
}

}  // namespace

std::string ip_text(std::string_view bytes) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() == 4) return fmt::format("{}.{}.{}.{}", byte(0), byte(1), byte(2), byte(3));
  return bytes.size() == 16 ? ipv6_text(bytes) : to_hex(bytes);
}

bool looks_like_ip(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return true;
  auto numeric = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  return std::ranges::count(text, '.') == 3 && std::ranges::all_of(text, numeric);
}

std::string canonical_ip(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  OpensslPtr<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> bytes(
      a2i_IPADDRESS(std::string(text).c_str()));
  ERR_clear_error();
  if (!bytes) return std::string(text);
  return ip_text({reinterpret_cast<const char*>(ASN1_STRING_get0_data(bytes.get())),
                  static_cast<size_t>(ASN1_STRING_length(bytes.get()))});
}

}  // namespace certrebind
