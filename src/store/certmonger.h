// certmonger's tracking requests: one file per certificate. The certificate may be anywhere.
#pragma once

#include <string>
#include <vector>

#include "sys/files.h"

namespace certrebind {

// The content of a file in requests/. Only requests for PEM files are read, not for NSS databases.
// The file may also contain a key's PIN, so only these fields are read.
struct CertmongerRequest {
  std::string id;
  std::string file;
  std::string certificate_path;
  std::string key_path;
  std::string after_saving;  // post_certsave_command
  bool renews = false;       // autorenew
};

// `directory` is /var/lib/certmonger. Ordered by file name.
std::vector<CertmongerRequest> certmonger_requests(const Files& files,
                                                   const std::string& directory);

}  // namespace certrebind
