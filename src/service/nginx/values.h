// Interprets the value of a directive that names a certificate or a key.
#pragma once

#include <string>

#include "service/nginx/config.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::nginx {

// One argument of a directive, and the file that contains it. Null if there is none.
struct Value {
  const ConfigFile* file = nullptr;
  const Word* word = nullptr;

  explicit operator bool() const { return word != nullptr; }
  std::string_view text() const { return word->value; }
  Span span() const { return span_of(*file, *word); }
};

// The file that a value names, or why no plan may edit it.
struct NamedValue {
  NamedFile file;
  std::string not_editable;
};

// Takes a value of ssl_certificate or ssl_certificate_key, or of the similar directives for
// upstreams. Relative paths start at the main file's directory (ngx_conf_full_name). Variables are
// evaluated at each handshake, "data:" contains the PEM itself, "engine:" and "store:" name a key
// elsewhere (ngx_ssl_load_certificate, ngx_ssl_load_certificate_key).
NamedValue named_value(const Value& value, const std::string& directory, const Root& root);

}  // namespace certrebind::nginx
