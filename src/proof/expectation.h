// What a handshake with one endpoint must show.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probe/handshake.h"
#include "service/service.h"

namespace certrebind {

// One handshake that must show one certificate instead of another. The key types select which
// certificate of a dual pair is asked for.
struct Expectation {
  Address address;
  bool proxy_protocol = false;
  StartTls start_tls = StartTls::none;
  std::string sni;  // empty: no name is sent
  std::string site;
  Thumbprint old_thumbprint;
  Thumbprint new_thumbprint;
  KeyType old_type = KeyType::other;
  KeyType new_type = KeyType::other;
  bool answered = true;  // false: no handshake completed there
  // The certificate that the server showed instead, if the files held `old_thumbprint` but the
  // server never loaded it.
  std::optional<Thumbprint> in_memory = {};
  // The intermediates that must come with `new_thumbprint`; others may come too.
  std::vector<Thumbprint> new_above = {};

  Target old_target() const;
  Target new_target() const;
  bool is_forced() const { return old_thumbprint == new_thumbprint; }
  // True if `shown` may be served when nothing has changed.
  bool is_of_before(const Thumbprint& shown) const {
    return shown == old_thumbprint || shown == in_memory;
  }
  std::string text() const;  // "127.0.0.1:443 (a.example.com)"
};

// The handshakes that show what a binding serves now.
std::vector<Expectation> expectations_of(const Binding& binding, const Thumbprint& old_thumbprint,
                                         KeyType old_type, const Thumbprint& new_thumbprint,
                                         KeyType new_type);

// The handshakes alone; `type` as in Target.
std::vector<Target> targets_of(const Binding& binding, KeyType type);

}  // namespace certrebind
