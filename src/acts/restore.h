// Restores the last proven pair of a binding, whatever its files hold now.
#pragma once

#include <string>
#include <vector>

#include "service/service.h"
#include "store/kept.h"
#include "transaction/transaction.h"

namespace certrebind {

// The kept pairs of one binding.
struct KeptFor {
  std::string path;  // path of its certificate
  Kept kept;
};

// `typed` is the name of a site or the path of its certificate.
Result<KeptFor> kept_for(const Host& host, const Settings& settings,
                         const std::vector<ServiceId>& only, const std::string& typed);

struct RestoreResult {
  std::vector<TransactionResult> accounts;
  std::string idle = {};  // not empty: why there is nothing to restore
  std::string next = {};  // … and what to do about it
};

// `typed` is the name of a site or the path of its certificate. `thumbprint` selects the kept pair;
// empty selects the last proven one. Runs one proven transaction for each service that binds the
// path; if one of them cannot serve the pair, it is undone for all. Fails with Code::failed if no
// site has the name or all kept pairs have expired, with Code::usage if the request is ambiguous or
// no kept pair has the thumbprint, with Code::unsupported if the pair must not be put there.
Result<RestoreResult> restore_kept(const TransactionContext& context,
                                   const std::vector<ServiceId>& only, const std::string& typed,
                                   const std::string& thumbprint);

}  // namespace certrebind
