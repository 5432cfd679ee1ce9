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
  std::string chain;        // the intermediates, where the binding has a file for them
};

// Where what is to be kept lies. `key` is `certificate` for a combined PEM; `chain` may be empty.
struct KeptPaths {
  std::string certificate;
  std::string key;
  std::string chain = {};
  auto operator<=>(const KeptPaths&) const = default;
};

// Keeps what lies at these paths now, if it is `proven` with its key and not the newest kept
// already.
Done keep_pair(Files& files, const std::string& state_directory, const KeptPaths& paths,
               const Thumbprint& proven);

struct Kept {
  std::vector<KeptPair> pairs;       // newest first
  std::vector<std::string> damaged;  // directories of such as cannot be read any more
};

// What was kept for a bound path.
Result<Kept> kept_pairs(const Files& files, const std::string& state_directory,
                        const std::string& certificate_path);

}  // namespace certrebind
