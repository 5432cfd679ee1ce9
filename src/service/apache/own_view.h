// Compares httpd's own report of its certificates with our findings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/apache/hosts.h"

namespace certrebind::apache {

struct Difference {
  std::vector<std::string> only_theirs, only_ours;  // paths inside the root
};

// The certificates that httpd would report: the SSLCertificateFile of every server, including
// servers without TLS and inherited values. Sorted, each once.
std::vector<std::string> named_certificates(const Hosts& hosts, const std::string& server_root);

// `named` comes from named_certificates; `printed` is the output of `httpd -t -D DUMP_CERTS`.
Difference compare_certificates(const std::vector<std::string>& named, std::string_view printed);

}  // namespace certrebind::apache
