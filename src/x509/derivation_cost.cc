#include "x509/derivation_cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "x509/der.h"
#include "x509/openssl.h"

namespace certrebind {

namespace {

// OWASP's advice of 2023 is 600,000 for PBKDF2. A million takes about a second.
constexpr long kMostIterations = 2'000'000;
constexpr int kDeepest = 8;

long integer_of(std::string_view content) {
  if (content.size() > 4) return std::numeric_limits<long>::max();
  long value = 0;
  for (char byte : content) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

// scrypt's N, r and p, whose product is its cost; OpenSSL bounds the memory, which N and r decide.
constexpr size_t kScryptNumbers = 3;
constexpr long kMostOfScrypt = 1 << 24;  // a few seconds

bool is_too_much_for_scrypt(const std::vector<long>& numbers) {
  if (numbers.size() < kScryptNumbers) return false;
  long product = 1;
  for (size_t i = 0; i < kScryptNumbers; ++i)
    if (__builtin_mul_overflow(product, numbers[i], &product)) return true;
  return product > kMostOfScrypt;
}

// In the other forms of these parameters (PKCS #12, PBES2, PBMAC1) the cost is an integer, and no
// other integer is larger.
long cost_of(std::string_view der, int depth) {
  long largest = 0;
  std::vector<long> numbers;
  DerReader reader(der);
  while (!reader.at_end()) {
    auto element = reader.next();
    if (!element) return std::numeric_limits<long>::max();  // not DER: it could hide anything
    if (element->tag == der::kInteger) numbers.push_back(integer_of(element->content));
    if (element->tag == der::kSequence && depth < kDeepest)
      largest = std::max(largest, cost_of(element->content, depth + 1));
  }
  for (long number : numbers) largest = std::max(largest, number);
  return is_too_much_for_scrypt(numbers) ? std::numeric_limits<long>::max() : largest;
}

}  // namespace

Done check_iterations(long iterations) {
  if (iterations >= 0 && iterations <= kMostIterations) return {};
  return fail(Code::failed, "decrypt", "the file",
              fmt::format("its password is derived with more than {} iterations", kMostIterations),
              "export it again with an ordinary number of iterations");
}

Done check_derivation_cost(const X509_ALGOR* algorithm) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_ALGOR(algorithm, &bytes);
  if (size <= 0) return fail(Code::failed, "decrypt", "the file", take_openssl_reason());
  const long cost = cost_of({reinterpret_cast<char*>(bytes), static_cast<size_t>(size)}, 0);
  OPENSSL_free(bytes);
  return check_iterations(cost);
}

}  // namespace certrebind
