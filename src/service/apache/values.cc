#include "service/apache/values.h"

#include "base/text.h"

namespace certrebind::apache {

namespace {

// "pkcs11:object=…", "store:…": has a scheme, so it is not a path.
bool is_uri(std::string_view text) {
  size_t colon = text.find(':');
  return colon != std::string_view::npos && colon > 1 && text.find('/') > colon;
}

std::string why_no_file(std::string_view text) {
  if (text.empty()) return "the path is empty";
  if (is_uri(text)) return "the certificate or key is held by a token or a provider (a URI)";
  if (text.find("${") != std::string_view::npos)
    return "the path contains a variable that is not defined";
  if (text.find('\0') != std::string_view::npos) return "the path contains a NUL byte";
  return {};
}

std::string why_not_here(const Value& value) {
  if (value.file->real.empty()) return "it is given on the command line of httpd";
  if (value.word->origin == Origin::variable)
    return "it contains a variable, and a literal path would no longer follow it";
  if (value.word->origin == Origin::parameter)
    return "it is a parameter of a macro, and every use of the macro has another value";
  return {};
}

}  // namespace

NamedValue named_value(const Value& value, const std::string& server_root, const Root& root) {
  NamedValue named{{{}, value.span(), {}}, why_no_file(value.text())};
  const Span& where = named.file.where;
  named.file.written = value.file->tree.text().substr(where.begin, where.end - where.begin);
  if (named.not_editable.empty()) {
    named.file.path = root.on_host(normalized(absolute_in(server_root, value.text())));
    named.not_editable = why_not_here(value);
  }
  return named;
}

}  // namespace certrebind::apache
