#include "x509/number_size.h"

#include "x509/der.h"

namespace certrebind {

namespace {

constexpr size_t kMostBytes = 16384 / 8 + 1;  // one for the sign
constexpr size_t kVersionBytes = 4;           // what comes before the modulus is shorter
constexpr int kDeepestNumber = 8;

// In every form of a key (PKCS #8, and RSA's, DSA's and EC's own) the modulus is the first number
// that is not small.
class NumberCheck {
 public:
  bool all_fit(std::string_view der, int depth) {
    DerReader reader(der);
    while (!reader.at_end()) {
      auto element = reader.next();
      if (!element) return true;  // no DER: the bytes of an octet string
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
