#include "probe/tls13.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <new>

#include "x509/quick_context.h"

namespace certrebind::tls13 {

namespace {

constexpr size_t kKeySize = 16, kIvSize = 12;

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

// For what can only fail where memory ran out.
void must(bool succeeded) {
  if (!succeeded) throw std::bad_alloc();
}

using MacPtr = OpensslPtr<EVP_MAC_CTX, EVP_MAC_CTX_free>;

MacPtr new_mac() {
  OpensslPtr<EVP_MAC, EVP_MAC_free> mac(EVP_MAC_fetch(quick_context(), "HMAC", nullptr));
  MacPtr context(EVP_MAC_CTX_new(mac.get()));
  char digest[] = "SHA256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, sizeof digest - 1),
      OSSL_PARAM_construct_end()};
  must(context && EVP_MAC_CTX_set_params(context.get(), parameters) == 1);
  return context;
}

std::string hmac(std::string_view key, std::string_view message) {
  thread_local const MacPtr context = new_mac();
  std::string code(kSecretSize, '\0');
  size_t size = 0;
  must(EVP_MAC_init(context.get(), raw(key), key.size(), nullptr) == 1 &&
       EVP_MAC_update(context.get(), raw(message), message.size()) == 1 &&
       EVP_MAC_final(context.get(), raw(code), &size, code.size()) == 1);
  return code;
}

// HKDF-Expand-Label (section 7.1). No more than one block is ever wanted of HKDF (RFC 5869).
std::string expand(std::string_view secret, std::string_view label, std::string_view context,
                   size_t size) {
  std::string info{'\0', static_cast<char>(size), static_cast<char>(6 + label.size())};
  info.append("tls13 ").append(label);
  info.push_back(static_cast<char>(context.size()));
  info.append(context);
  info.push_back(1);
  return hmac(secret, info).substr(0, size);
}

// The secret that the agreed one is mixed into: without a pre-shared key it is always the same.
const std::string& first_salt() {
  static const std::string kSalt = [] {
    std::string zeros(kSecretSize, '\0');
    return expand(hmac(zeros, zeros), "derived", sha256(""), kSecretSize);
  }();
  return kSalt;
}

EVP_CIPHER* cipher() {
  static EVP_CIPHER* const kCipher = EVP_CIPHER_fetch(quick_context(), "AES-128-GCM", nullptr);
  return kCipher;
}

EVP_CIPHER_CTX* cipher_context() {
  thread_local const OpensslPtr<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context(EVP_CIPHER_CTX_new());
  return context.get();
}

struct Scheme {
  uint16_t id;
  const char* key;     // as EVP_PKEY_is_a knows it
  const char* curve;   // null: the key has none to choose
  const char* digest;  // null: the signature has its own
};
constexpr std::array<Scheme, 11> kSchemes = {{
    {0x0403, "EC", "prime256v1", "SHA256"},
    {0x0503, "EC", "secp384r1", "SHA384"},
    {0x0603, "EC", "secp521r1", "SHA512"},
    {0x0804, "RSA", nullptr, "SHA256"},
    {0x0805, "RSA", nullptr, "SHA384"},
    {0x0806, "RSA", nullptr, "SHA512"},
    {0x0809, "RSA-PSS", nullptr, "SHA256"},
    {0x080a, "RSA-PSS", nullptr, "SHA384"},
    {0x080b, "RSA-PSS", nullptr, "SHA512"},
    {0x0807, "ED25519", nullptr, nullptr},
    {0x0808, "ED448", nullptr, nullptr},
}};

bool is_for(const Scheme& scheme, EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, scheme.key) != 1) return false;
  if (scheme.curve == nullptr) return true;
  std::array<char, 32> curve{};
  return EVP_PKEY_get_group_name(key, curve.data(), curve.size(), nullptr) == 1 &&
         std::string_view(curve.data()) == scheme.curve;
}

bool is_rsa(const Scheme& scheme) {
  return std::string_view(scheme.key).starts_with("RSA");
}

}  // namespace

std::string sha256(std::string_view bytes) {
  static EVP_MD* const kDigest = EVP_MD_fetch(quick_context(), "SHA256", nullptr);
  std::string hash(kSecretSize, '\0');
  must(EVP_Digest(bytes.data(), bytes.size(), raw(hash), nullptr, kDigest, nullptr) == 1);
  return hash;
}

KeyExchange::KeyExchange()
    : key_(EVP_PKEY_Q_keygen(quick_context(), nullptr, "X25519")), share_(kSecretSize, '\0') {
  size_t size = share_.size();
  must(key_ && EVP_PKEY_get_raw_public_key(key_.get(), raw(share_), &size) == 1);
}

std::optional<std::string> KeyExchange::agree(std::string_view peer_share) const {
  KeyPtr peer(EVP_PKEY_new_raw_public_key_ex(quick_context(), "X25519", nullptr, raw(peer_share),
                                             peer_share.size()));
  OpensslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_pkey(quick_context(), key_.get(), nullptr));
  std::string agreed(kSecretSize, '\0');
  size_t size = agreed.size();
  bool done = peer && context && EVP_PKEY_derive_init(context.get()) == 1 &&
              EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
              EVP_PKEY_derive(context.get(), raw(agreed), &size) == 1 && size == kSecretSize;
  ERR_clear_error();
  return done ? std::optional(agreed) : std::nullopt;
}

RecordKeys::RecordKeys(std::string_view traffic_secret)
    : key_(expand(traffic_secret, "key", "", kKeySize)),
      iv_(expand(traffic_secret, "iv", "", kIvSize)) {}

std::string RecordKeys::nonce() {
  std::string nonce = iv_;
  for (size_t i = 0; i < sizeof number_; ++i)
    nonce[kIvSize - 1 - i] = static_cast<char>(nonce[kIvSize - 1 - i] ^ (number_ >> (8 * i)));
  ++number_;
  return nonce;
}

std::string RecordKeys::seal(RecordType type, std::string_view content) {
  EVP_CIPHER_CTX* context = cipher_context();
  std::string plain(content);
  plain.push_back(static_cast<char>(type));
  size_t size = plain.size() + kTagSize;
  std::string record{23, 3, 3, static_cast<char>(size >> 8), static_cast<char>(size)};
  record.resize(kHeaderSize + size);
  int written = 0;
  must(EVP_EncryptInit_ex2(context, cipher(), raw(key_), raw(nonce()), nullptr) == 1 &&
       EVP_EncryptUpdate(context, nullptr, &written, raw(record), kHeaderSize) == 1 &&
       EVP_EncryptUpdate(context, raw(record) + kHeaderSize, &written, raw(plain),
                         static_cast<int>(plain.size())) == 1 &&
       EVP_EncryptFinal_ex(context, raw(record), &written) == 1 &&
       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize,
                           raw(record) + record.size() - kTagSize) == 1);
  return record;
}

std::optional<RecordKeys::Opened> RecordKeys::open(std::string_view record) {
  if (record.size() < kHeaderSize + kTagSize) return std::nullopt;
  EVP_CIPHER_CTX* context = cipher_context();
  std::string_view sealed = record.substr(kHeaderSize, record.size() - kHeaderSize - kTagSize);
  std::string tag(record.substr(record.size() - kTagSize));
  std::string plain(sealed.size(), '\0');
  int written = 0;
  bool genuine = EVP_DecryptInit_ex2(context, cipher(), raw(key_), raw(nonce()), nullptr) == 1 &&
                 EVP_DecryptUpdate(context, nullptr, &written, raw(record), kHeaderSize) == 1 &&
                 EVP_DecryptUpdate(context, raw(plain), &written, raw(sealed),
                                   static_cast<int>(sealed.size())) == 1 &&
                 EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1 &&
                 EVP_DecryptFinal_ex(context, raw(tag), &written) == 1;
  // Behind the content come its type and any number of zeros.
  size_t end = genuine ? plain.find_last_not_of('\0') : std::string::npos;
  if (end == std::string::npos) return std::nullopt;
  Opened opened{.type = static_cast<RecordType>(plain[end]), .content = {}};
  plain.resize(end);
  opened.content = std::move(plain);
  return opened;
}

Secrets::Secrets(std::string_view agreed, std::string_view hello_hash)
    : handshake_(hmac(first_salt(), agreed)),
      client_(expand(handshake_, "c hs traffic", hello_hash, kSecretSize)),
      server_(expand(handshake_, "s hs traffic", hello_hash, kSecretSize)) {}

std::string Secrets::client_application(std::string_view finished_hash) const {
  static const std::string kNothing = sha256("");
  std::string salt = expand(handshake_, "derived", kNothing, kSecretSize);
  std::string main_secret = hmac(salt, std::string(kSecretSize, '\0'));
  return expand(main_secret, "c ap traffic", finished_hash, kSecretSize);
}

std::string finished_content(std::string_view handshake_secret, std::string_view transcript_hash) {
  return hmac(expand(handshake_secret, "finished", "", kSecretSize), transcript_hash);
}

bool is_signed_by_server(EVP_PKEY* key, uint16_t scheme, std::string_view transcript_hash,
                         std::string_view signature) {
  const auto* found = std::ranges::find(kSchemes, scheme, &Scheme::id);
  if (found == kSchemes.end() || !is_for(*found, key)) return false;
  std::string content(64, ' ');
  content.append("TLS 1.3, server CertificateVerify").push_back('\0');
  content.append(transcript_hash);
  OpensslPtr<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* how = nullptr;
  bool good = context && EVP_DigestVerifyInit_ex(context.get(), &how, found->digest,
                                                 quick_context(), nullptr, key, nullptr) == 1;
  if (good && is_rsa(*found))
    good = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
  good = good && EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(content),
                                  content.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace certrebind::tls13
