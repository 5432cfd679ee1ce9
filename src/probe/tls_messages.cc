#include "probe/tls_messages.h"

#include <openssl/rand.h>

#include <new>

#include "probe/tls13.h"
#include "x509/openssl.h"

namespace certrebind::tls13 {

namespace {

enum class Extension : uint16_t {
  server_name = 0,
  supported_groups = 10,
  signature_algorithms = 13,
  supported_versions = 43,
  key_share = 51,
};
constexpr size_t kTls12 = 0x0303, kTls13 = 0x0304, kAes128GcmSha256 = 0x1301, kX25519 = 0x001d;
constexpr size_t kRandomSize = 32;

std::string extension(Extension id, std::string_view content) {
  return number(static_cast<size_t>(id), 2) + vector_of(content, 2);
}

// Of handshakes and, at the end of RSA's (PKCS #1), of certificates only.
std::string signatures_of(KeyType type) {
  using namespace std::string_view_literals;
  constexpr std::string_view kRsa =
      "\x08\x04\x08\x05\x08\x06\x08\x09\x08\x0a\x08\x0b\x04\x01\x05\x01\x06\x01\x02\x01"sv;
  switch (type) {
    case KeyType::rsa:
      return std::string(kRsa);
    case KeyType::ecdsa:
      return "\x04\x03\x05\x03\x06\x03";
    case KeyType::ed25519:
      return "\x08\x07";
    case KeyType::ed448:
      return "\x08\x08";
    case KeyType::other:
      break;
  }
  return "\x04\x03\x05\x03\x06\x03\x08\x07\x08\x08" + std::string(kRsa);
}

std::string server_name(const std::string& sni) {
  if (sni.empty()) return {};
  constexpr size_t kHostName = 0;
  return extension(Extension::server_name, vector_of(number(kHostName, 1) + vector_of(sni, 2), 2));
}

std::string random_bytes(size_t size) {
  std::string bytes(size, '\0');
  auto* to = reinterpret_cast<unsigned char*>(bytes.data());
  if (RAND_bytes(to, static_cast<int>(size)) != 1) throw std::bad_alloc();
  return bytes;
}

bool is_certificate(std::string_view der) {
  X509Ptr certificate = x509_of(der);
  ERR_clear_error();
  return certificate && i2d_X509(certificate.get(), nullptr) == static_cast<int>(der.size());
}

}  // namespace

std::string number(size_t value, size_t bytes) {
  std::string text;
  for (size_t i = bytes; i-- > 0;) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

std::string vector_of(std::string_view content, size_t bytes) {
  return number(content.size(), bytes).append(content);
}

std::string message(MessageType type, std::string_view body) {
  return number(static_cast<size_t>(type), 1) + vector_of(body, 3);
}

std::string_view Input::take(size_t size) {
  bad_ = bad_ || size > left_.size();
  if (bad_) return {};
  std::string_view taken = left_.substr(0, size);
  left_.remove_prefix(size);
  return taken;
}

size_t Input::take_number(size_t bytes) {
  size_t value = 0;
  for (char byte : take(bytes)) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

std::string client_hello(const std::string& sni, KeyType type, std::string_view share) {
  std::string group = number(kX25519, 2);
  std::string extensions =
      server_name(sni) + extension(Extension::supported_groups, vector_of(group, 2)) +
      extension(Extension::signature_algorithms, vector_of(signatures_of(type), 2)) +
      extension(Extension::supported_versions, vector_of(number(kTls13, 2), 1)) +
      extension(Extension::key_share, vector_of(group + vector_of(share, 2), 2));
  constexpr size_t kNoCompression = 0;
  return message(MessageType::client_hello,
                 number(kTls12, 2) + random_bytes(kRandomSize) + vector_of("", 1) +
                     vector_of(number(kAes128GcmSha256, 2), 2) +
                     vector_of(number(kNoCompression, 1), 1) + vector_of(extensions, 2));
}

std::optional<std::string_view> share_in(std::string_view server_hello) {
  Input hello(server_hello);
  bool agrees = hello.take_number(2) == kTls12;
  hello.take(kRandomSize);
  agrees = agrees && hello.take_vector(1).empty();  // our session id, which was empty
  agrees = agrees && hello.take_number(2) == kAes128GcmSha256 && hello.take_number(1) == 0;
  Input extensions(hello.take_vector(2));
  agrees = agrees && hello.is_at_end();
  size_t version = 0;
  std::string_view share;
  while (agrees && !extensions.is_at_end()) {
    auto id = static_cast<Extension>(extensions.take_number(2));
    Input content(extensions.take_vector(2));
    if (id == Extension::supported_versions) version = content.take_number(2);
    if (id == Extension::key_share && content.take_number(2) == kX25519)
      share = content.take_vector(2);
    agrees = !extensions.bad() && content.is_at_end();
  }
  agrees = agrees && version == kTls13 && share.size() == kSecretSize;
  return agrees ? std::optional(share) : std::nullopt;
}

std::vector<std::string_view> certificates_in(std::string_view body) {
  std::vector<std::string_view> certificates;
  Input outer(body);
  bool good = outer.take_vector(1).empty();  // the context, for client certificates only
  Input list(outer.take_vector(3));
  good = good && outer.is_at_end();
  while (good && !list.is_at_end()) {
    certificates.push_back(list.take_vector(3));
    list.take_vector(2);  // extensions
    good = !list.bad() && is_certificate(certificates.back());
  }
  if (!good) certificates.clear();
  return certificates;
}

bool is_offered(uint16_t scheme, KeyType type) {
  std::string offered = signatures_of(type);
  Input schemes(offered);
  while (!schemes.is_at_end())
    if (schemes.take_number(2) == scheme) return true;
  return false;
}

std::optional<Signature> signature_in(std::string_view body) {
  Input input(body);
  Signature signature;
  signature.scheme = static_cast<uint16_t>(input.take_number(2));
  signature.bytes = input.take_vector(2);
  return input.is_at_end() ? std::optional(signature) : std::nullopt;
}

}  // namespace certrebind::tls13
