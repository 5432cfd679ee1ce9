// Private keys: checks whether a key belongs to a certificate. This code never shows, stores or
// copies a key.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "x509/certificate.h"

namespace certrebind {

// The result of checking a key file, ordered by how far the check came.
enum class KeyState {
  matches,     // it is the certificate's key
  damaged,     // its public half is the certificate's, but its signatures do not verify
  of_another,  // a valid key, of another certificate
  encrypted,   // needs a passphrase, which nobody can type during a reload
  unreadable,  // a key block that OpenSSL cannot read
  none,        // no private key block in the text
};
std::string to_text(KeyState state);  // "matches", "belongs to another certificate", …

// Checks the first private key block of `pem`, as servers do. `leaf` is the certificate in DER. If
// `leaf` is not a certificate, every key counts as `of_another`.
KeyState key_state(std::string_view pem, std::string_view leaf);
KeyState key_state(std::string_view pem, const Certificate& leaf);

// Like `key_state`, but a matching key also signs something that the certificate must verify. No
// server checks the secret, and a damaged one fails each handshake. Takes some 100 µs for EC, a
// millisecond for RSA.
KeyState tried_key_state(std::string_view pem, const Certificate& leaf);

}  // namespace certrebind
