// Checks every certificate and key that a server would load from disk now. This is for servers that
// a single bad pair stops, whichever site it belongs to.
#pragma once

#include <string>
#include <vector>

#include "service/service.h"

namespace certrebind {

struct BrokenPair {
  std::string site;
  Span where;
  std::string why;  // "the key /x.key belongs to another certificate"

  std::string text() const;  // "b.example.com (/etc/x.conf:12): the key …"
};

// The path of an encrypted key of one of these bindings; empty if there is none.
std::string encrypted_key_of(const Files& files, const std::vector<Binding>& bindings);

// Reads each pair once, several in parallel. Skips bindings that name no file, and encrypted keys:
// only the server knows their passphrase.
std::vector<BrokenPair> broken_pairs(const Files& files,
                                     const std::vector<const Binding*>& bindings);

}  // namespace certrebind
