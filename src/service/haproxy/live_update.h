// Updates certificates over HAProxy's control socket: "set ssl cert" and "commit ssl cert"
// (management guide, section 9.3).
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "service/haproxy/config.h"
#include "service/root.h"
#include "service/service.h"
#include "x509/certificate.h"

namespace certrebind::haproxy {

// Null if there is no socket of level admin, if HAProxy does not load one of `files` as a
// certificate, key or companion, or if it would then show another certificate for some name.
std::unique_ptr<LiveUpdate> live_update(const Started& started, Root& root,
                                        const std::vector<std::string>& files);

// Null if there is no socket of level admin.
std::unique_ptr<LoadedView> loaded_view(const Started& started, Root& root);

// One certificate as sent over the socket.
struct LiveCertificate {
  std::string name;     // HAProxy's name for it
  std::string payload;  // leaf, chain, key; contains no empty line
  std::string sha1;     // of the leaf, upper-case hex, as `show ssl cert` prints it
  // The leaf's serial number and dates, as lines of `show ssl cert`. It prints no fingerprint of a
  // certificate whose kind of key it does not know, such as Ed25519.
  std::string serial_and_dates;
  // Companion files: extension with dot, payload.
  std::vector<std::pair<std::string, std::string>> companions;
};

// A name as one word of the socket's command line.
std::string socket_word(std::string_view name);

// "Serial: …", "notBefore: …" and "notAfter: …", as `show ssl cert` prints them.
std::string serial_and_dates(const CertificateOutline& leaf);

// Asks whether all `names` are known and in use, and no other program's change is in progress.
std::unique_ptr<SocketConversation> ask_about(std::vector<std::string> names);

// Asks which certificates other than `seen` are loaded and in use.
std::unique_ptr<LoadedView> ask_what_is_loaded(Address address, std::set<std::string> seen);

// Sets, commits and reads back each certificate. Reverts a change that it cannot finish.
std::unique_ptr<SocketConversation> set_and_commit(std::vector<LiveCertificate> certificates,
                                                   bool resumed);

}  // namespace certrebind::haproxy
