// What a handshake with one endpoint is expected to show.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probe/handshake.h"
#include "service/service.h"

namespace certrebind {

// One handshake that has to show one certificate instead of another. Types select which certificate
// of a dual pair is asked for.
struct Expectation {
  Address address;
  bool proxy_protocol = false;
  std::string sni;  // empty: no name is sent
  std::string site;
  Thumbprint old_thumbprint;
  Thumbprint new_thumbprint;
  KeyType old_type = KeyType::other;
  KeyType new_type = KeyType::other;
  bool answered = true;  // false: no handshake completed there
  // Where the files held `old_thumbprint` but the server never loaded it: what it showed instead.
  std::optional<Thumbprint> in_memory = {};
  // The intermediates that have to come with `new_thumbprint`; others may come, too.
  std::vector<Thumbprint> new_above = {};

  Target old_target() const;
  Target new_target() const;
  bool is_forced() const { return old_thumbprint == new_thumbprint; }
  // It is one of those that may be shown where all is as before.
  bool is_of_before(const Thumbprint& shown) const {
    return shown == old_thumbprint || shown == in_memory;
  }
  std::string text() const;  // "127.0.0.1:443 (a.example.com)"
};

// The handshakes that would show what a binding serves now.
std::vector<Expectation> expectations_of(const Binding& binding, const Thumbprint& old_thumbprint,
                                         KeyType old_type, const Thumbprint& new_thumbprint,
                                         KeyType new_type);

}  // namespace certrebind
