// Certificates brought up over HAProxy's control socket: "set ssl cert" and "commit ssl cert"
// (management guide, section 9.3).
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "service/haproxy/config.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::haproxy {

// Null where there is no socket of level admin, or one of `files` is no certificate, key or
// companion that HAProxy loads.
std::unique_ptr<LiveUpdate> live_update(const Started& started, Root& root,
                                        const std::vector<std::string>& files);

// Null where there is no socket of level admin.
std::unique_ptr<LoadedView> loaded_view(const Started& started, Root& root);

// One certificate as it goes over the socket.
struct LiveCertificate {
  std::string name;     // HAProxy's
  std::string payload;  // leaf, chain, key: lines without an empty one
  std::string sha1;     // of the leaf, upper case hex: how `show ssl cert` tells it
  // What belongs to it: extension with dot, payload.
  std::vector<std::pair<std::string, std::string>> companions;
};

// Asks whether all of `names` are known and in use, and nobody's change is under way.
std::unique_ptr<SocketConversation> ask_about(std::vector<std::string> names);

// Asks what is loaded and in use, beside `seen`.
std::unique_ptr<LoadedView> ask_what_is_loaded(Address address, std::set<std::string> seen);

// Sets, commits and reads back each certificate; takes back what it cannot finish.
std::unique_ptr<SocketConversation> set_and_commit(std::vector<LiveCertificate> certificates,
                                                   bool resumed);

}  // namespace certrebind::haproxy
