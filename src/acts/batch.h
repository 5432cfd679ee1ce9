// Carries out the plans of one run, with one transaction for each service. A failed one does not
// stop the others, except those that share its files.
#pragma once

#include <vector>

#include "acts/rebind.h"

namespace certrebind {

// Carries out each plan that is not refused. If services share a file, the first one writes it and
// the others load it: either all of them serve it, or it is restored for all.
std::vector<TransactionResult> carry_out_all(const TransactionContext& context,
                                             const Prepared& prepared);

}  // namespace certrebind
