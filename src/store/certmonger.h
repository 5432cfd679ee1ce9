// certmonger's tracking requests: one file for each certificate, which may lie anywhere.
#pragma once

#include <string>
#include <vector>

#include "sys/files.h"

namespace certrebind {

// What a file in requests/ says; only what is kept in PEM files, not in NSS databases. The file may
// also hold a key's PIN: nothing but these fields is taken from it.
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
