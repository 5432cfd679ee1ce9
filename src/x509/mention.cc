#include "x509/mention.h"

#include <algorithm>
#include <ctime>
#include <string>

#include "base/text.h"
#include "x509/certificate.h"
#include "x509/pem.h"

namespace certrebind {

namespace {

bool has_pem(std::string_view text, const Thumbprint& wanted) {
  return std::ranges::any_of(pem_blocks(text), [&](const PemBlock& block) {
    if (!block.is_certificate()) return false;
    auto der = pem_decode(block);
    return der && Thumbprint::of_der(*der) == wanted;
  });
}

std::string in_utc(WallTime time, const char* format) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &utc)};
}

}  // namespace

bool names_certificate(std::string_view text, std::string_view der) {
  constexpr size_t kDigitsOf64Bits = 16;
  const auto outline = outline_of(der);
  if (!outline) return false;
  if (has_pem(text, outline->thumbprint)) return true;
  std::string digits = to_lower(std::string(text));
  std::erase(digits, ':');
  auto has = [&](const std::string& hex) { return digits.find(hex) != digits.npos; };
  return has(outline->thumbprint.hex()) || has(sha1_thumbprint(der)) ||
         (outline->serial.size() >= kDigitsOf64Bits && has(outline->serial)) ||
         text.find(in_utc(outline->not_after, "%b %e %H:%M:%S %Y GMT")) != text.npos ||
         text.find(in_utc(outline->not_after, "%Y-%m-%dT%H:%M:%SZ")) != text.npos;
}

}  // namespace certrebind
