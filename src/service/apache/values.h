// What a directive that names a certificate or a key means.
#pragma once

#include <string>

#include "service/apache/config.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::apache {

// The file a value names, or why no plan may touch it.
struct NamedValue {
  NamedFile file;
  std::string not_editable;
};

// Takes a value of SSLCertificateFile or its like. Relative paths begin at the ServerRoot
// (ap_server_root_relative).
NamedValue named_value(const Value& value, const std::string& server_root, const Root& root);

}  // namespace certrebind::apache
