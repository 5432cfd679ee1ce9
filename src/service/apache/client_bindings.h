// The bindings of the certificates that httpd presents to backend servers
// (SSLProxyMachineCertificateFile and …Path).
#pragma once

#include "service/apache/hosts.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::apache {

Discovery client_bindings(const Config& config, const Hosts& hosts, Root& root);

}  // namespace certrebind::apache
