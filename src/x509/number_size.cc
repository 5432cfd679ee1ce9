#include "x509/number_size.h"

#include <optional>

#include "x509/der.h"

namespace certrebind {

namespace {

constexpr size_t kMostBytes = 16384 / 8 + 1;  // one for the sign
constexpr size_t kVersionBytes = 4;           // what comes before the modulus is shorter
constexpr int kDeepestNumber = 8;

struct Element {
  unsigned char tag = 0;
  std::string_view content;
};

// The next element of BER (X.690, 8.1), as leniently as OpenSSL reads it: lengths may have leading
// zeros, or be indefinite, where the rest is taken. Unset at what is no element.
std::optional<Element> next_element(std::string_view& rest) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(rest[i]); };
  if (rest.size() < 2) return std::nullopt;
  const size_t octets = byte(1) < 0x80 ? 0 : byte(1) & 0x7F;
  if (rest.size() < 2 + octets) return std::nullopt;
  size_t size = byte(1) < 0x80 ? byte(1) : octets == 0 ? rest.size() - 2 : 0;
  for (size_t i = 0; i < octets; ++i) {
    if (size > rest.size()) return std::nullopt;
    size = size << 8 | byte(2 + i);
  }
  if (size > rest.size() - 2 - octets) return std::nullopt;
  Element element{byte(0), rest.substr(2 + octets, size)};
  rest.remove_prefix(2 + octets + size);
  return element;
}

// In every form of a key (PKCS #8, and RSA's, DSA's and EC's own) the modulus is the first number
// that is not small.
class NumberCheck {
 public:
  bool all_fit(std::string_view rest, int depth) {
    while (!rest.empty()) {
      auto element = next_element(rest);
      if (!element) return true;  // the bytes of an octet string
      if (element->tag == der::kInteger && !fits(element->content.size())) return false;
      const bool may_hold_more =
          element->tag == der::kSequence || element->tag == der::kOctetString ||
          (element->tag & der::kContextConstructed) == der::kContextConstructed;
      if (may_hold_more && depth < kDeepestNumber && !all_fit(element->content, depth + 1))
        return false;
    }
    return true;
  }

 private:
  bool fits(size_t size) {
    if (modulus_ == 0 && size > kVersionBytes) modulus_ = size;
    return size <= kMostBytes && (modulus_ == 0 || size <= modulus_ + 1);
  }

  size_t modulus_ = 0;
};

}  // namespace

Done check_number_sizes(std::string_view der) {
  if (NumberCheck().all_fit(der, 0)) return {};
  return fail(Code::failed, "use", "the private key",
              "a number in it is longer than any key in use has");
}

}  // namespace certrebind
