// Thumbprint: the SHA-256 of a certificate's DER, and how people type one.
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
  // Exactly 64 lower-case hex digits (what `hex` gave); anything else is an error.
  static Result<Thumbprint> from_hex(std::string_view hex);

  std::string hex() const;
  // The first 16 digits, for tables.
  std::string brief() const;
  auto operator<=>(const Thumbprint&) const = default;

 private:
  std::array<unsigned char, 32> digest_{};
};

// The SHA-1 of the DER, lower-case hex: what Windows and HAProxy show. Never used as an identity.
std::string sha1_thumbprint(std::string_view der);

// What a person typed for a thumbprint: a SHA-256, a SHA-1, or a prefix (8 digits or more) of
// either. Upper case, colons, spaces and the invisible U+200E of Windows dialogs are accepted.
class TypedThumbprint {
 public:
  // Code::usage with a cause that says what is wrong: not hex, too short, too long.
  static Result<TypedThumbprint> parse(std::string_view typed);
  // True if `typed` can only be meant as a thumbprint (hex digits and separators, 8 digits or
  // more).
  static bool looks_like_one(std::string_view typed);

  // `der` is asked for its SHA-1 only where the SHA-256 does not fit already.
  bool matches(const Thumbprint& sha256, std::string_view der) const;
  const std::string& digits() const { return digits_; }

 private:
  std::string digits_;  // lower-case hex, 8 to 64 digits
};

}  // namespace certrebind

template <>
struct std::hash<certrebind::Thumbprint> {
  size_t operator()(const certrebind::Thumbprint& thumbprint) const noexcept;
};
