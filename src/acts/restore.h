// Bringing back the pair that was last proven at a binding, whatever lies there now.
#pragma once

#include <string>
#include <vector>

#include "service/service.h"
#include "store/kept.h"
#include "transaction/transaction.h"

namespace certrebind {

// What is kept for one binding.
struct KeptFor {
  std::string path;  // of its certificate
  Kept kept;
};

// Takes a site's name or the path of its certificate.
Result<KeptFor> kept_for(const Host& host, const Settings& settings,
                         const std::vector<ServiceId>& only, const std::string& typed);

// Takes a site's name or the path of its certificate, and which kept pair: its thumbprint as typed,
// or nothing for the last that was proven. A transaction for each service that binds the path, with
// proof; where one does not come to serve it, it is taken back for all. Code::not_found,
// Code::usage where it is not clear what is meant, nothing was kept, what was kept lies there
// already or has expired; Code::unsupported where it must not go there.
Result<std::vector<TransactionResult>> restore_kept(const TransactionContext& context,
                                                    const std::vector<ServiceId>& only,
                                                    const std::string& typed,
                                                    const std::string& thumbprint);

}  // namespace certrebind
