// Thumbprint: the SHA-256 of a certificate's DER, and the forms in which people type one.
#pragma once

#include <array>
#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace certrebind {

// SHA-256 over the whole DER of a certificate; shown as 64 lower-case hex digits.
class Thumbprint {
 public:
  Thumbprint() = default;
  static Thumbprint of_der(std::string_view der);
  // Takes exactly 64 lower-case hex digits (the output of `hex`); anything else is an error.
  static Result<Thumbprint> from_hex(std::string_view hex);

  std::string hex() const;
  // The first 16 digits, for tables.
  std::string brief() const;
  auto operator<=>(const Thumbprint&) const = default;

 private:
  std::array<unsigned char, 32> digest_{};
};

// The SHA-1 of the DER in lower-case hex, as Windows and HAProxy show it. Never used as an
// identity.
std::string sha1_thumbprint(std::string_view der);

// A thumbprint as a person types it: a SHA-256, a SHA-1, or a prefix (8 digits or more) of either.
// Accepts upper case, colons, spaces and the invisible U+200E of Windows dialogs.
class TypedThumbprint {
 public:
  // Code::usage; the cause says what is wrong: not hex, too short, too long.
  static Result<TypedThumbprint> parse(std::string_view typed);
  // True if `typed` can only be a thumbprint (hex digits and separators, 8 digits or more).
  static bool looks_like_one(std::string_view typed);

  // Computes the SHA-1 of `der` only if the SHA-256 does not match.
  bool matches(const Thumbprint& sha256, std::string_view der) const;
  const std::string& digits() const { return digits_; }
  // True if it is no prefix: then it wins over a name that looks like one.
  bool is_whole() const { return digits_.size() == 40 || digits_.size() == 64; }

 private:
  std::string digits_;  // lower-case hex, 8 to 64 digits
};

}  // namespace certrebind

template <>
struct std::hash<certrebind::Thumbprint> {
  size_t operator()(const certrebind::Thumbprint& thumbprint) const noexcept;
};
