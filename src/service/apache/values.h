// Interprets the value of a directive that names a certificate or a key.
#pragma once

#include <string>

#include "service/apache/config.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::apache {

// The file that a value names, or why no plan may edit it.
struct NamedValue {
  NamedFile file;
  std::string not_editable;
};

// Takes a value of SSLCertificateFile or a similar directive. Relative paths start at the
// ServerRoot (ap_server_root_relative).
NamedValue named_value(const Value& value, const std::string& server_root, const Root& root);

}  // namespace certrebind::apache
