// Private keys: does this one belong to that certificate? A key is never shown, stored or copied
// here.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "x509/certificate.h"

namespace certrebind {

// What is wrong with a key file, ordered by how far one came.
enum class KeyState {
  matches,     // it is the certificate's key
  damaged,     // its public half is the certificate's, and yet it does not sign for it
  of_another,  // a good key, of another certificate
  encrypted,   // needs a passphrase that no reload could type
  unreadable,  // a key block that OpenSSL cannot read
  none,        // no private key block in the text
};
std::string to_text(KeyState state);  // "matches", "belongs to another certificate", …

// Looks at the first private key block of `pem`, as servers do. `leaf`: the certificate in DER; to
// what is none, any key is one of another.
KeyState key_state(std::string_view pem, std::string_view leaf);
KeyState key_state(std::string_view pem, const Certificate& leaf);

// The same, and has a key that matches sign something, which the certificate has to verify: no
// server compares the secret with anything, and a damaged one fails each handshake. Some 100 µs of
// EC, a millisecond of RSA.
KeyState tried_key_state(std::string_view pem, const Certificate& leaf);

}  // namespace certrebind
