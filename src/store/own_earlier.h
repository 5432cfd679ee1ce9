// Earlier generations in certrebind's own store, as the way back from a bad one.
#pragma once

#include <string>
#include <vector>

#include "state/settings.h"
#include "store/own.h"
#include "sys/files.h"

namespace certrebind {

// The command that makes an earlier generation of `own` with this certificate the current one
// again. Empty if none has it.
std::string command_back_to(const Files& files, const OwnCertificate& own,
                            const Thumbprint& thumbprint);

// The same, wherever in these stores it lies.
std::string command_back_to(const Files& files, const std::vector<StoreSetting>& stores,
                            const std::string& thumbprint_hex);

}  // namespace certrebind
