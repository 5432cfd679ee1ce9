#include "service/nginx/values.h"

#include "base/text.h"

namespace certrebind::nginx {

namespace {

std::string why_no_file(std::string_view text) {
  if (text.starts_with("data:"))
    return "the certificate or key stands in the configuration itself (data:)";
  if (text.starts_with("engine:")) return "the key is held by an OpenSSL engine (engine:)";
  if (text.starts_with("store:")) return "the key is held by an OpenSSL provider (store:)";
  if (text.find('$') != std::string_view::npos)
    return "the path contains a variable; nginx evaluates it at each handshake";
  if (text.empty()) return "the path is empty";
  if (text.find('\0') != std::string_view::npos) return "the path contains a NUL byte";
  return {};
}

}  // namespace

NamedValue named_value(const Value& value, const std::string& directory, const Root& root) {
  NamedValue named{{{}, value.span(), {}}, why_no_file(value.text())};
  const Span& where = named.file.where;
  named.file.written = value.file->tree.text().substr(where.begin, where.end - where.begin);
  if (named.not_editable.empty())
    named.file.path = root.on_host(absolute_in(directory, value.text()));
  return named;
}

}  // namespace certrebind::nginx
