// What httpd itself says of its certificates, beside what is read here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/apache/hosts.h"

namespace certrebind::apache {

struct Difference {
  std::vector<std::string> only_theirs, only_ours;  // paths inside the root
};

// The certificates that httpd would name: the SSLCertificateFile of every server, those that speak
// no TLS and what is inherited among them. Sorted, each once.
std::vector<std::string> named_certificates(const Hosts& hosts, const std::string& server_root);

// `named` as named_certificates gives them; `printed` by `httpd -t -D DUMP_CERTS`.
Difference compare_certificates(const std::vector<std::string>& named, std::string_view printed);

}  // namespace certrebind::apache
