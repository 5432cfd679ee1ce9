// Open requests: keys that were made here, whose certificates a CA has not issued yet.
//
//   DIRECTORY/NAME/{privkey.pem,request.csr}
//
// The CSR is written last: without it, a crash left a key for which nothing was asked, and it does
// not count.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/files.h"
#include "x509/credentials.h"
#include "x509/request.h"

namespace certrebind {

struct OpenRequest {
  std::string directory;  // of all requests
  std::string name;

  std::string home() const { return directory + "/" + name; }
  std::string key_path() const { return home() + "/privkey.pem"; }
  std::string csr_path() const { return home() + "/request.csr"; }
};

// By name. None if nothing was ever requested.
std::vector<OpenRequest> open_requests(const Files& files, const std::string& directory);

// Code::exists if there is an open request of this name.
Done write_request(Files& files, const OpenRequest& request, const NewRequest& made);
Done remove_request(Files& files, const OpenRequest& request);

// The open request whose key belongs to the certificate, and that key in PEM.
struct MatchingRequest {
  OpenRequest request;
  std::string key_pem;
};
std::optional<MatchingRequest> request_for(const Files& files, const std::string& directory,
                                           const Certificate& leaf);

}  // namespace certrebind
