// What httpd itself says of its certificates, beside what is read here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/apache/config.h"
#include "service/root.h"

namespace certrebind::apache {

struct Difference {
  std::vector<std::string> only_theirs, only_ours;  // paths inside the root
};

// Takes what `httpd -t -D DUMP_CERTS` printed: every SSLCertificateFile of every server, those that
// speak no TLS and what is inherited among them.
Difference compare_certificates(const Config& config, Root& root, std::string_view printed);

}  // namespace certrebind::apache
