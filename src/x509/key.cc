#include "x509/key.h"

#include <openssl/decoder.h>
#include <openssl/pem.h>

#include <algorithm>
#include <utility>

#include "x509/number_size.h"
#include "x509/openssl.h"
#include "x509/pem.h"
#include "x509/public_half.h"

namespace certrebind {

namespace {

// Without this, OpenSSL would prompt on the terminal, and nobody is there during a renewal.
int refuse_passphrase(char*, int, int, void*) {
  return -1;
}

// OpenSSL 3.0 looks up all its decoders for every key, some 500 µs. A cached decoder reads a key in
// some 40 µs.
class KeyDecoder {
 public:
  KeyDecoder()
      : context_(OSSL_DECODER_CTX_new_for_pkey(&slot_, "PEM", nullptr, nullptr, EVP_PKEY_KEYPAIR,
                                               nullptr, nullptr)) {
    if (context_) OSSL_DECODER_CTX_set_pem_password_cb(context_.get(), refuse_passphrase, nullptr);
  }

  KeyPtr read(std::string_view pem) {
    const unsigned char* at = reinterpret_cast<const unsigned char*>(pem.data());
    size_t size = pem.size();
    bool read = context_ && OSSL_DECODER_from_data(context_.get(), &at, &size) == 1;
    KeyPtr key(std::exchange(slot_, nullptr));
    return read ? std::move(key) : nullptr;
  }

 private:
  EVP_PKEY* slot_ = nullptr;  // where OpenSSL stores the key
  OpensslPtr<OSSL_DECODER_CTX, OSSL_DECODER_CTX_free> context_;
};

// If the quick decoder fails, OpenSSL's full reader reads the key, as in a server. The key is read
// in place, not copied.
KeyPtr read_key(const PemBlock& block) {
  if (auto der = pem_decode(block); der && !check_number_sizes(*der)) return nullptr;
  thread_local KeyDecoder decoder;
  if (KeyPtr key = decoder.read(block.whole)) return key;
  BioPtr in = reader_of(block.whole);
  return KeyPtr(in ? PEM_read_bio_PrivateKey(in.get(), nullptr, refuse_passphrase, nullptr)
                   : nullptr);
}

using DigestPtr = OpensslPtr<EVP_MD_CTX, EVP_MD_CTX_free>;

// Both use the algorithm's default digest.
bool signs_for(EVP_PKEY* key, EVP_PKEY* certified) {
  constexpr unsigned char kText[] = "certrebind";
  unsigned char signature[2048];  // the size for RSA with 16384 bits
  size_t size = sizeof signature;
  DigestPtr signing(EVP_MD_CTX_new()), verifying(EVP_MD_CTX_new());
  return EVP_DigestSignInit(signing.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestSign(signing.get(), signature, &size, kText, sizeof kText) == 1 &&
         EVP_DigestVerifyInit(verifying.get(), nullptr, nullptr, nullptr, certified) == 1 &&
         EVP_DigestVerify(verifying.get(), signature, size, kText, sizeof kText) == 1;
}

const PemBlock* first_key(const std::vector<PemBlock>& blocks) {
  auto block = std::ranges::find_if(blocks, &PemBlock::is_private_key);
  return block == blocks.end() ? nullptr : &*block;
}

}  // namespace

std::string to_text(KeyState state) {
  switch (state) {
    case KeyState::matches:
      return "matches";
    case KeyState::damaged:
      return "is damaged: the certificate does not verify what it signs";
    case KeyState::of_another:
      return "belongs to another certificate";
    case KeyState::encrypted:
      return "is encrypted with a passphrase";
    case KeyState::unreadable:
      return "cannot be read";
    case KeyState::none:
      break;
  }
  return "is missing";
}

KeyState key_state(std::string_view pem, std::string_view leaf) {
  auto blocks = pem_blocks(pem);
  const PemBlock* block = first_key(blocks);
  if (block == nullptr) return KeyState::none;
  if (block->is_encrypted()) return KeyState::encrypted;
  if (carries_public_key_of(*block, leaf)) return KeyState::matches;
  KeyPtr key = read_key(*block);
  X509Ptr x509 = x509_of(leaf);
  EVP_PKEY* wanted = x509 ? X509_get0_pubkey(x509.get()) : nullptr;
  bool equal = key && wanted != nullptr && EVP_PKEY_eq(key.get(), wanted) == 1;
  ERR_clear_error();
  if (!key) return KeyState::unreadable;
  return equal ? KeyState::matches : KeyState::of_another;
}

KeyState key_state(std::string_view pem, const Certificate& leaf) {
  return key_state(pem, std::string_view(leaf.der));
}

KeyState tried_key_state(std::string_view pem, const Certificate& leaf) {
  KeyState state = key_state(pem, leaf);
  if (state != KeyState::matches) return state;
  auto blocks = pem_blocks(pem);
  KeyPtr key = read_key(*first_key(blocks));
  X509Ptr x509 = x509_of(leaf.der);
  EVP_PKEY* certified = x509 ? X509_get0_pubkey(x509.get()) : nullptr;
  bool signs = key && certified != nullptr && signs_for(key.get(), certified);
  ERR_clear_error();
  return signs ? KeyState::matches : KeyState::damaged;
}

}  // namespace certrebind
