// The plans of one run, one transaction a service. One that fails does not hold up the others, but
// for those that share its files.
#pragma once

#include <vector>

#include "acts/rebind.h"

namespace certrebind {

// Carries out each plan that is not refused. Where services share a file, the first writes it and
// the others load it: all of them come to serve it, or it is as before for all.
std::vector<TransactionResult> carry_out_all(const TransactionContext& context,
                                             const Prepared& prepared);

}  // namespace certrebind
