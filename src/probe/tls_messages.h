// The messages of a TLS 1.3 handshake (RFC 8446, section 4) as lean_handshake.cc sends and reads
// them: one cipher, one group, no resumption.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "x509/certificate.h"

namespace certrebind::tls13 {

enum class MessageType : uint8_t {
  client_hello = 1,
  server_hello = 2,
  encrypted_extensions = 8,
  certificate = 11,
  certificate_request = 13,
  certificate_verify = 15,
  finished = 20,
};

// A number in `bytes` bytes, as TLS writes it (section 3.3).
std::string number(size_t value, size_t bytes);
// A vector (section 3.4): its size in `bytes` bytes, then what is in it.
std::string vector_of(std::string_view content, size_t bytes);
// A message, header included.
std::string message(MessageType type, std::string_view body);

// Takes such bytes apart. After the first thing that is not there it is `bad`, and gives nothing.
class Input {
 public:
  explicit Input(std::string_view bytes) : left_(bytes) {}

  std::string_view take(size_t size);
  size_t take_number(size_t bytes);
  std::string_view take_vector(size_t bytes) { return take(take_number(bytes)); }
  bool bad() const { return bad_; }
  bool is_at_end() const { return !bad_ && left_.empty(); }

 private:
  std::string_view left_;
  bool bad_ = false;
};

// The message whole. `sni` empty: no server_name; `type`: whose signatures are asked for, `other`:
// any; `share`: our half of the key exchange.
std::string client_hello(const std::string& sni, KeyType type, std::string_view share);

// The server's half, if this body of a ServerHello agrees to what that offers. Points into it.
std::optional<std::string_view> share_in(std::string_view server_hello);

// The DER of each certificate in the body of a Certificate message, leaf first. Points into it.
// Empty where there is none, or where not all are certificates.
std::vector<std::string_view> certificates_in(std::string_view body);

// Whether that client_hello offers this signature scheme.
bool is_offered(uint16_t scheme, KeyType type);

// The body of a CertificateVerify.
struct Signature {
  uint16_t scheme = 0;
  std::string_view bytes;
};
std::optional<Signature> signature_in(std::string_view body);

}  // namespace certrebind::tls13
