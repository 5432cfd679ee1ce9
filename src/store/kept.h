// The last good pairs: for every bound path, the certificate and key that were last proven to be
// served from it, and those before. Files of 0600 in a directory of 0700; two for each path.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/files.h"
#include "x509/bundle.h"

namespace certrebind {

struct KeptPair {
  Bundle bundle;
  std::string certificate;  // the files, byte for byte
  std::string key;          // empty: it stands in `certificate`
};

// Keeps what lies at these paths now, if it is `proven` with its key and not the newest kept
// already. The two paths are the same for a combined PEM.
Done keep_pair(Files& files, const std::string& state_directory,
               const std::string& certificate_path, const std::string& key_path,
               const Thumbprint& proven);

// What was kept for a bound path, newest first.
Result<std::vector<KeptPair>> kept_pairs(const Files& files, const std::string& state_directory,
                                         const std::string& certificate_path);

}  // namespace certrebind
