#include "x509/thumbprint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "x509/openssl.h"

namespace certrebind {

namespace {

// OpenSSL 3 looks up the algorithm by name for every one-shot digest, which takes longer than
// digesting a certificate. So it is looked up once, and each thread keeps its context.
EVP_MD* fetched(const char* name) {
  return EVP_MD_fetch(nullptr, name, nullptr);
}

// Writes the digest of `bytes` to `out`, which must be large enough.
void digest(const EVP_MD* algorithm, std::string_view bytes, unsigned char* out) {
  thread_local const OpensslPtr<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  bool done = algorithm != nullptr && EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1 &&
              EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
              EVP_DigestFinal_ex(context.get(), out, nullptr) == 1;
  if (!done) ERR_clear_error();
}

std::string_view as_text(const unsigned char* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool is_hex(char c) {
  return digit_value(c) >= 0;
}

// U+200E in UTF-8, which Windows' certificate dialog copies before a thumbprint.
constexpr std::string_view kLeftToRightMark = "\xE2\x80\x8E";

// The digits in lower case, without the separators of people and dialogs.
std::string without_separators(std::string_view typed) {
  std::string digits;
  while (!typed.empty()) {
    if (typed.starts_with(kLeftToRightMark)) {
      typed.remove_prefix(kLeftToRightMark.size());
      continue;
    }
    if (std::strchr(" :\t\r\n", typed.front()) == nullptr || typed.front() == '\0')
      digits += typed.front();
    typed.remove_prefix(1);
  }
  return to_lower(digits);
}

constexpr size_t kFewestDigits = 8;
constexpr size_t kMostDigits = 64;

}  // namespace

Thumbprint Thumbprint::of_der(std::string_view der) {
  static EVP_MD* const kSha256 = fetched("SHA256");
  Thumbprint thumbprint;
  digest(kSha256, der, thumbprint.digest_.data());
  return thumbprint;
}

Result<Thumbprint> Thumbprint::from_hex(std::string_view hex) {
  if (hex.size() != kMostDigits || !std::ranges::all_of(hex, is_hex))
    return fail(Code::failed, "read", "thumbprint " + printable(hex),
                "it is not 64 lower-case hex digits");
  Thumbprint thumbprint;
  for (size_t i = 0; i < thumbprint.digest_.size(); ++i)
    thumbprint.digest_[i] =
        static_cast<unsigned char>(digit_value(hex[2 * i]) * 16 + digit_value(hex[2 * i + 1]));
  return thumbprint;
}

std::string Thumbprint::hex() const {
  return to_hex(as_text(digest_.data(), digest_.size()));
}

std::string Thumbprint::brief() const {
  return to_hex(as_text(digest_.data(), 8));
}

std::string sha1_thumbprint(std::string_view der) {
  static EVP_MD* const kSha1 = fetched("SHA1");
  std::array<unsigned char, 20> bytes{};
  digest(kSha1, der, bytes.data());
  return to_hex(as_text(bytes.data(), bytes.size()));
}

Result<TypedThumbprint> TypedThumbprint::parse(std::string_view typed) {
  auto refused = [&](std::string cause) {
    return fail(Code::usage, "take as a thumbprint", printable(typed), std::move(cause));
  };
  TypedThumbprint thumbprint;
  thumbprint.digits_ = without_separators(typed);
  const std::string& digits = thumbprint.digits_;
  auto odd = std::ranges::find_if_not(digits, is_hex);
  if (odd != digits.end())
    return refused(fmt::format("'{}' is not a hex digit", printable({odd, odd + 1})));
  if (digits.size() < kFewestDigits)
    return refused(fmt::format("{} are too few, 8 are needed", count_of(digits.size(), "digit")));
  if (digits.size() > kMostDigits)
    return refused(fmt::format("{} digits are too many, a SHA-256 has 64", digits.size()));
  return thumbprint;
}

bool TypedThumbprint::looks_like_one(std::string_view typed) {
  return parse(typed).has_value();
}

bool TypedThumbprint::matches(const Thumbprint& sha256, std::string_view der) const {
  return sha256.hex().starts_with(digits_) || sha1_thumbprint(der).starts_with(digits_);
}

}  // namespace certrebind

size_t std::hash<certrebind::Thumbprint>::operator()(
    const certrebind::Thumbprint& thumbprint) const noexcept {
  // A digest is uniformly distributed, so its first bytes serve as the hash.
  static_assert(std::is_trivially_copyable_v<certrebind::Thumbprint>);
  size_t value = 0;
  std::memcpy(&value, &thumbprint, sizeof value);
  return value;
}
