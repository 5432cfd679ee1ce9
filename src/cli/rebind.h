// What `rebind` does, for commands that also do it.
#pragma once

#include "cli/acting.h"

namespace certrebind {

// Makes, carries out and prints the plans for pairs that a person chose. Returns the exit code.
int rebind_pairs(Context& context, const Acting& acting, const RebindRequest& request);

}  // namespace certrebind
