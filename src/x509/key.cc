#include "x509/key.h"

#include <openssl/pem.h>

#include <algorithm>

#include "x509/openssl.h"
#include "x509/pem.h"

namespace certrebind {

namespace {

// OpenSSL would ask on the terminal; nobody sits there when a renewal runs.
int refuse_passphrase(char*, int, int, void*) {
  return -1;
}

// The key is read where it lies: OpenSSL wipes its own working copies.
KeyPtr read_key(const PemBlock& block) {
  BioPtr in = reader_of(block.whole);
  return KeyPtr(in ? PEM_read_bio_PrivateKey(in.get(), nullptr, refuse_passphrase, nullptr)
                   : nullptr);
}

}  // namespace

std::string to_text(KeyState state) {
  switch (state) {
    case KeyState::matches:
      return "matches";
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

KeyState key_state(std::string_view pem, const Certificate& leaf) {
  auto blocks = pem_blocks(pem);
  auto block = std::ranges::find_if(blocks, &PemBlock::is_private_key);
  if (block == blocks.end()) return KeyState::none;
  if (block->is_encrypted()) return KeyState::encrypted;
  KeyPtr key = read_key(*block);
  X509Ptr x509 = x509_of(leaf.der);
  EVP_PKEY* wanted = x509 ? X509_get0_pubkey(x509.get()) : nullptr;
  bool equal = key && wanted != nullptr && EVP_PKEY_eq(key.get(), wanted) == 1;
  ERR_clear_error();
  if (!key) return KeyState::unreadable;
  return equal ? KeyState::matches : KeyState::of_another;
}

}  // namespace certrebind
