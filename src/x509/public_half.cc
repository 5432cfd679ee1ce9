#include "x509/public_half.h"

#include <openssl/crypto.h>

#include <string>

#include "x509/certificate.h"
#include "x509/der.h"

namespace certrebind {

namespace {

constexpr std::string_view kRsa{"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01", 9};  // 1.2.840.113549.1.1.1
constexpr std::string_view kEc{"\x2A\x86\x48\xCE\x3D\x02\x01", 7};           // 1.2.840.10045.2.1

// The parts in which two keys must agree.
struct PublicHalf {
  std::string_view algorithm;  // the content of an OID
  std::string_view curve;      // for EC: the parameters, including their header
  std::string_view point;      // for EC
  std::string_view modulus, exponent;
  bool operator==(const PublicHalf&) const = default;
};
using Found = std::optional<PublicHalf>;

// The bytes without the count of unused bits, which must be zero.
std::optional<std::string_view> bytes_of(const std::optional<DerElement>& bits) {
  if (!bits || bits->content.empty() || bits->content.front() != '\0') return std::nullopt;
  return bits->content.substr(1);
}

bool is_number(const std::optional<DerElement>& element, char value) {
  return element && element->content == std::string_view(&value, 1);
}

// RSAPrivateKey: nine numbers, the version first.
Found of_rsa_private(std::string_view der) {
  DerReader outside(der);
  auto sequence = outside.next(der::kSequence);
  if (!sequence || !outside.at_end()) return std::nullopt;
  DerReader numbers(sequence->content);
  constexpr size_t kNumbers = 9;
  std::optional<DerElement> number[kNumbers];
  for (auto& each : number)
    if (each = numbers.next(der::kInteger); !each) return std::nullopt;
  if (!numbers.at_end() || !is_number(number[0], 0)) return std::nullopt;
  return PublicHalf{kRsa, {}, {}, number[1]->content, number[2]->content};
}

// ECPrivateKey: version, secret, [0] parameters, [1] public key. In PKCS #8 the parameters are
// outside of it.
Found of_ec_private(std::string_view der, std::string_view curve) {
  DerReader outside(der);
  auto sequence = outside.next(der::kSequence);
  if (!sequence || !outside.at_end()) return std::nullopt;
  DerReader parts(sequence->content);
  auto version = parts.next(der::kInteger);
  auto secret = parts.next(der::kOctetString);
  auto parameters = parts.next(der::kContextConstructed | 0);
  auto key = parts.next(der::kContextConstructed | 1);
  if (!is_number(version, 1) || !secret || secret->content.empty() || !key || !parts.at_end())
    return std::nullopt;
  auto point = bytes_of(DerReader(key->content).next(der::kBitString));
  if (parameters && !curve.empty() && parameters->content != curve) return std::nullopt;
  if (parameters) curve = parameters->content;
  if (!point || curve.empty()) return std::nullopt;
  return PublicHalf{kEc, curve, *point, {}, {}};
}

struct Algorithm {
  std::string_view oid, parameters;
};

std::optional<Algorithm> algorithm_in(DerReader& reader) {
  auto sequence = reader.next(der::kSequence);
  if (!sequence) return std::nullopt;
  DerReader parts(sequence->content);
  auto oid = parts.next(der::kOid);
  if (!oid) return std::nullopt;
  if (parts.at_end()) return Algorithm{oid->content, {}};
  auto parameters = parts.next();
  if (!parameters || !parts.at_end()) return std::nullopt;
  return Algorithm{oid->content, parameters->whole};
}

// PrivateKeyInfo: version, algorithm, the key in the algorithm's own format, attributes.
Found of_pkcs8(std::string_view der) {
  DerReader outside(der);
  auto sequence = outside.next(der::kSequence);
  if (!sequence || !outside.at_end()) return std::nullopt;
  DerReader parts(sequence->content);
  if (!is_number(parts.next(der::kInteger), 0)) return std::nullopt;
  auto algorithm = algorithm_in(parts);
  auto key = parts.next(der::kOctetString);
  if (!algorithm || !key || !parts.at_end()) return std::nullopt;
  if (algorithm->oid == kRsa) return of_rsa_private(key->content);
  if (algorithm->oid == kEc) return of_ec_private(key->content, algorithm->parameters);
  return std::nullopt;
}

// SubjectPublicKeyInfo (RFC 5280 section 4.1, RFC 3279).
Found of_certificate(std::string_view leaf) {
  auto info = public_key_info_of(leaf);
  if (!info) return std::nullopt;
  DerReader parts(*info);
  auto algorithm = algorithm_in(parts);
  auto key = bytes_of(parts.next(der::kBitString));
  if (!algorithm || !key) return std::nullopt;
  if (algorithm->oid == kEc) return PublicHalf{kEc, algorithm->parameters, *key, {}, {}};
  auto numbers = algorithm->oid == kRsa ? DerReader(*key).next(der::kSequence) : std::nullopt;
  if (!numbers) return std::nullopt;
  DerReader reader(numbers->content);
  auto modulus = reader.next(der::kInteger), exponent = reader.next(der::kInteger);
  if (!modulus || !exponent) return std::nullopt;
  return PublicHalf{kRsa, {}, {}, modulus->content, exponent->content};
}

Found of_private(std::string_view label, std::string_view der) {
  if (label == "PRIVATE KEY") return of_pkcs8(der);
  if (label == "RSA PRIVATE KEY") return of_rsa_private(der);
  if (label == "EC PRIVATE KEY") return of_ec_private(der, {});
  return std::nullopt;
}

}  // namespace

bool carries_public_key_of(const PemBlock& key, std::string_view leaf) {
  auto der = pem_decode(key);
  if (!der) return false;
  Found carried = of_private(key.label, *der);
  bool equal = carried && carried == of_certificate(leaf);
  OPENSSL_cleanse(der->data(), der->size());
  return equal;
}

}  // namespace certrebind
