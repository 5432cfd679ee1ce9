// Reads DER (X.690 section 10) element by element. The bytes may be hostile: the reader never reads
// outside the given text, and copies nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace certrebind {

namespace der {
// Identifier octets of the elements in a certificate.
constexpr unsigned char kBoolean = 0x01;
constexpr unsigned char kInteger = 0x02;
constexpr unsigned char kBitString = 0x03;
constexpr unsigned char kOctetString = 0x04;
constexpr unsigned char kOid = 0x06;
constexpr unsigned char kUtf8String = 0x0C;
constexpr unsigned char kUtcTime = 0x17;
constexpr unsigned char kGeneralizedTime = 0x18;
constexpr unsigned char kUniversalString = 0x1C;
constexpr unsigned char kBmpString = 0x1E;
constexpr unsigned char kSequence = 0x30;
constexpr unsigned char kSet = 0x31;
constexpr unsigned char kContext = 0x80;             // | number: primitive
constexpr unsigned char kContextConstructed = 0xA0;  // | number
}  // namespace der

struct DerElement {
  unsigned char tag = 0;     // the identifier octet
  std::string_view content;  // without identifier and length
  std::string_view whole;    // with identifier and length
};

// Iterates over the elements of one level.
class DerReader {
 public:
  explicit DerReader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  bool next_is(unsigned char tag) const {
    return !rest_.empty() && static_cast<unsigned char>(rest_.front()) == tag;
  }
  // The next element. Unset if the bytes are not an element: high tag numbers, indefinite, overlong
  // or too large lengths. Then the reader does not advance.
  std::optional<DerElement> next();
  // The next element if it has this tag.
  std::optional<DerElement> next(unsigned char tag) { return next_is(tag) ? next() : std::nullopt; }
  // Skips the next element if it has this tag. False only if it has the tag and is malformed.
  bool skip_if(unsigned char tag) { return !next_is(tag) || next().has_value(); }

 private:
  std::string_view rest_;
};

// The size of the first element in `bytes`, including identifier and length.
std::optional<size_t> der_element_size(std::string_view bytes);

}  // namespace certrebind
