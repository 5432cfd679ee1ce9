// Bringing back the pair that was last proven at a binding, whatever lies there now.
#pragma once

#include <string>
#include <vector>

#include "rebind/transaction.h"
#include "service/service.h"
#include "store/kept.h"

namespace certrebind {

// What is kept for one binding.
struct KeptFor {
  std::string path;             // of its certificate
  std::vector<KeptPair> pairs;  // newest first
};

// Takes a site's name or the path of its certificate.
Result<KeptFor> kept_for(const Host& host, const Settings& settings,
                         const std::vector<ServiceId>& only, const std::string& typed);

// Takes a site's name or the path of its certificate, and which kept pair: a prefix of its
// thumbprint, or nothing for the newest that differs from what lies there. A transaction for each
// service that binds the path, with proof. Code::not_found, Code::usage where it is not clear what
// is meant, nothing was kept, or what was kept has expired.
Result<std::vector<Account>> restore_kept(const Bench& bench, const std::vector<ServiceId>& only,
                                          const std::string& typed, const std::string& thumbprint);

}  // namespace certrebind
