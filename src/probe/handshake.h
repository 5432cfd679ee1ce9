// What a server really serves: the proof behind every success that is announced.
//
// Only a handshake that completes counts. A server can present the right certificate and hold the
// wrong key; then its signature over the handshake is bad, and the handshake fails (as was seen of
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
#include "base/time.h"
#include "sys/clock.h"
#include "sys/network.h"
#include "x509/certificate.h"
#include "x509/thumbprint.h"

namespace certrebind {

// One handshake to make.
struct Target {
  Address address;
  bool proxy_protocol = false;  // a PROXY header, version 1, goes first
  std::string sni;              // empty: no server_name is sent
  // Which certificate to ask for: only signatures of this kind are offered, so that a server with
  // several shows this one, or refuses. `other`: any.
  KeyType key_type = KeyType::other;

  // "127.0.0.1:443 for www.example.com (RSA)"
  std::string text() const;
};

// What a completed handshake showed.
struct Served {
  Thumbprint thumbprint;  // of the leaf
  std::string leaf_der;
  size_t chain_length = 0;         // certificates presented, the leaf included
  std::string protocol;            // "TLSv1.3"
  std::vector<std::string> above;  // DER of what was presented behind the leaf
  // The server asked for a client certificate, which we have none of. If it turned us away for that
  // after its key had signed the handshake, its certificate is proven all the same.
  bool wants_client_certificate = false;
};

class TlsContexts;

// Thread-safe. `network` and `clock` must outlive it.
class Prober {
 public:
  // `patience` is for one whole handshake, the connection included.
  Prober(const Network& network, const Clock& clock, milliseconds patience);
  ~Prober();

  // An address where one handshake was in vain until the end of its patience is not waited for
  // again for as long: whoever else is to be asked there is told so at once, then one may try anew.
  //
  // The error's cause says how far it came: the system's words for a connection that was not made,
  // "no TLS: the server answered …", the server's alert, "bad signature" where certificate and key
  // do not belong together. Code::timed_out after `patience`.
  Result<Served> handshake(const Target& target) const;

  using Progress = std::function<void(size_t done)>;
  // All targets, `threads` at a time (0: as many as serve best here); results in the same order.
  // `progress` is called after each, from one thread at a time.
  std::vector<Result<Served>> handshake_all(std::span<const Target> targets, size_t threads = 0,
                                            const Progress& progress = {}) const;

 private:
  // Connected, the PROXY header sent.
  Result<std::unique_ptr<Stream>> open(const Target& target, SteadyTime deadline) const;
  Result<Served> ask(const Target& target, SteadyTime deadline) const;
  bool is_silent(const Address& address) const;
  void note_answer(const Address& address, const Result<Served>& served) const;
  const TlsContexts& contexts() const;  // made when first needed: many commands never ask

  const Network& network_;
  const Clock& clock_;
  milliseconds patience_;

  mutable std::once_flag made_;
  mutable std::unique_ptr<const TlsContexts> contexts_;
  mutable std::mutex silent_lock_;
  mutable std::map<Address, SteadyTime> silent_until_;
};

// "PROXY TCP4 127.0.0.1 127.0.0.1 … 443\r\n": what a listener with proxy_protocol expects first
// (HAProxy's proxy-protocol.txt, version 1).
std::string proxy_header(const Address& address);

}  // namespace certrebind
