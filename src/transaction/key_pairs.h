// Every pair of certificate and key that a server would load, as it lies on disk now. For servers
// that a single bad pair ends, whoever's it is.
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

// Each pair is read once, several at a time. Bindings that name no file are passed over, and so are
// encrypted keys: only the server knows their passphrase.
std::vector<BrokenPair> broken_pairs(const Files& files,
                                     const std::vector<const Binding*>& bindings);

}  // namespace certrebind
