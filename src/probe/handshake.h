// Finds out what a server really serves, by TLS handshakes. Every reported success rests on this
// proof.
//
// Only a completed handshake counts. A server can present the right certificate and hold the wrong
// key. Then its signature over the handshake is bad, and the handshake fails (observed with
// RabbitMQ).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/start_tls.h"
#include "base/time.h"
#include "sys/clock.h"
#include "sys/network.h"
#include "x509/certificate.h"
#include "x509/thumbprint.h"

namespace certrebind {

// One handshake to make.
struct Target {
  Address address;
  bool proxy_protocol = false;  // send a PROXY header, version 1, first
  StartTls start_tls = StartTls::none;
  std::string sni;  // empty: send no server_name
  // The key type of the certificate to request. Only signatures of this type are offered, so that a
  // server with several certificates shows this one, or refuses. `other`: any type.
  KeyType key_type = KeyType::other;

  // "127.0.0.1:443 for www.example.com (RSA)", "127.0.0.1:25 with smtp STARTTLS for mx.example.com"
  std::string text() const;
};

// The result of a completed handshake.
struct Served {
  Thumbprint thumbprint;  // of the leaf
  std::string leaf_der;
  size_t chain_length = 0;         // number of certificates presented, including the leaf
  std::string protocol;            // "TLSv1.3"
  std::vector<std::string> above;  // DER of the certificates presented after the leaf
  // The server requested a client certificate, and we have none. If the server then rejected us
  // after its key had signed the handshake, its certificate is proven nevertheless.
  bool wants_client_certificate = false;
};

class TlsContexts;

// Thread-safe. `network` and `clock` must outlive it.
class Prober {
 public:
  // `patience` limits one whole handshake, including the connection.
  Prober(const Network& network, const Clock& clock, milliseconds patience);
  ~Prober();

  // If a handshake with an address used up its whole patience, the address is blocked for the same
  // time: further handshakes there fail at once. After that, one may try again.
  //
  // The error's cause says how far the handshake came: the system's message if the connection
  // failed, a cause of ask_for_tls, "no TLS: the server answered …", the server's alert, or "bad
  // signature" if certificate and key do not match. Code::timed_out after `patience`.
  Result<Served> handshake(const Target& target) const;

  using Progress = std::function<void(size_t done)>;
  // Handshakes with all targets, on `threads` threads (0: the best number for this machine).
  // Results are in the order of the targets. `progress` is called after each handshake, by one
  // thread at a time.
  std::vector<Result<Served>> handshake_all(std::span<const Target> targets, size_t threads = 0,
                                            const Progress& progress = {}) const;

 private:
  // Connects, sends the PROXY header and asks for TLS.
  Result<std::unique_ptr<Stream>> open(const Target& target, SteadyTime deadline) const;
  Result<Served> ask(const Target& target, SteadyTime deadline) const;
  bool is_silent(const Address& address) const;
  void note_answer(const Address& address, const Result<Served>& served) const;
  const TlsContexts& contexts() const;  // created on first use, because many commands need none

  const Network& network_;
  const Clock& clock_;
  milliseconds patience_;

  mutable std::once_flag made_;
  mutable std::unique_ptr<const TlsContexts> contexts_;
  mutable std::mutex silent_lock_;
  mutable std::map<Address, SteadyTime> silent_until_;
};

// True if the server presented a certificate, and its key was another's: it has read the two at
// different times.
bool shows_another_key(const Error& failed_handshake);

// "PROXY TCP4 127.0.0.1 127.0.0.1 … 443\r\n": the first bytes that a listener with proxy_protocol
// expects (HAProxy's proxy-protocol.txt, version 1).
std::string proxy_header(const Address& address);

}  // namespace certrebind
