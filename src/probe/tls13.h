// The cryptography of TLS 1.3 (RFC 8446) with TLS_AES_128_GCM_SHA256 and X25519, and no other: what
// lean_handshake.cc needs. The arithmetic is OpenSSL's; here is how TLS puts it together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "x509/openssl.h"

namespace certrebind::tls13 {

inline constexpr size_t kSecretSize = 32;  // of a key share, of SHA-256, and so of every secret
inline constexpr size_t kTagSize = 16;     // what sealing adds
inline constexpr size_t kHeaderSize = 5;   // of a record: type, version, length

enum class RecordType : uint8_t {
  change_cipher_spec = 20,
  alert = 21,
  handshake = 22,
  application = 23
};

std::string sha256(std::string_view bytes);

// Our half of one key exchange (RFC 7748).
class KeyExchange {
 public:
  KeyExchange();

  const std::string& share() const { return share_; }  // what the peer gets
  // What both agree on; nothing for a share that is none.
  std::optional<std::string> agree(std::string_view peer_share) const;

 private:
  KeyPtr key_;
  std::string share_;
};

// One direction's keys, from one of its secrets (sections 7.3 and 5.2 to 5.4). Numbers its records.
class RecordKeys {
 public:
  explicit RecordKeys(std::string_view traffic_secret);

  // A record whole, header included, of content type `type`.
  std::string seal(RecordType type, std::string_view content);
  struct Opened {
    RecordType type{};
    std::string content;
  };
  // What is in the next record; nothing where it was not sealed with these keys.
  std::optional<Opened> open(std::string_view record);

 private:
  std::string nonce();

  std::string key_, iv_;
  uint64_t number_ = 0;
};

// The secrets of one handshake (section 7.1).
class Secrets {
 public:
  // `hello_hash` is of ClientHello to ServerHello.
  Secrets(std::string_view agreed, std::string_view hello_hash);

  const std::string& client_handshake() const { return client_; }
  const std::string& server_handshake() const { return server_; }
  // The client's first secret after the handshake; the hash is of all up to the server's Finished.
  std::string client_application(std::string_view finished_hash) const;

 private:
  std::string handshake_, client_, server_;
};

// The content of a Finished message (section 4.4.4).
std::string finished_content(std::string_view handshake_secret, std::string_view transcript_hash);

// Whether `signature`, made with `scheme` (section 4.2.3), is by `key` and the server's over this
// transcript (section 4.4.3). False, too, where the scheme is not one of TLS 1.3 for such a key.
bool is_signed_by_server(EVP_PKEY* key, uint16_t scheme, std::string_view transcript_hash,
                         std::string_view signature);

}  // namespace certrebind::tls13
