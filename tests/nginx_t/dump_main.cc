// Prints what the nginx room reads of a configuration, for comparing with nginx itself: a JSON
// object on each line. Bytes are written as the Latin-1 characters of their values, so that every
// file can be told.
//
//   nginx_dump /etc/nginx/nginx.conf
#include <fmt/format.h>

#include <cstdio>

#include "service/nginx/bindings.h"
#include "service/nginx/config.h"
#include "sys/disk.h"

namespace certrebind {
namespace {

using nginx::Config;
using nginx::ConfigFile;
using nginx::Directive;

std::string quoted(std::string_view bytes) {
  std::string text = "\"";
  for (unsigned char byte : bytes) {
    if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\') {
      text += static_cast<char>(byte);
    } else {
      text += fmt::format("\\u{:04x}", byte);
    }
  }
  return text + '"';
}

void print_directive(const ConfigFile& file, const Directive& directive, bool in_rows) {
  std::string words;
  for (const nginx::Word& word : file.tree.words(directive)) {
    std::string_view written =
        std::string_view(file.tree.text()).substr(word.begin, word.end - word.begin);
    words +=
        fmt::format("{}[{}, {}]", words.empty() ? "" : ", ", quoted(word.value), quoted(written));
  }
  const nginx::Word& name = file.tree.name(directive);
  fmt::print(
      "{{\"file\": {}, \"begin\": {}, \"line\": {}, \"end_line\": {}, \"block\": {}, "
      "\"in_rows\": {}, \"words\": [{}]}}\n",
      quoted(file.path), name.begin, name.line, directive.end_line, directive.block, in_rows,
      words);
}

bool holds_rows(std::string_view block) {
  return block == "types" || block == "map" || block == "geo" || block == "split_clients" ||
         block == "charset_map";
}

void print_file(const ConfigFile& file) {
  fmt::print("{{\"read\": {}, \"bytes\": {}}}\n", quoted(file.path), file.tree.text().size());
  const auto& directives = file.tree.directives();
  size_t rows_end = 0;
  for (size_t i = 0; i < directives.size(); ++i) {
    print_directive(file, directives[i], i < rows_end);
    if (directives[i].block && holds_rows(file.tree.name(directives[i]).value))
      rows_end = directives[i].next;
  }
}

void print_endpoint(const Binding& binding, const Endpoint& endpoint) {
  std::string names;
  for (const std::string& name : endpoint.probe_names)
    names += (names.empty() ? "" : ", ") + quoted(name);
  fmt::print(
      "{{\"site\": {}, \"certificate\": {}, \"host\": {}, \"port\": {}, \"probe_names\": [{}], "
      "\"without_sni\": {}, \"unproven\": {}}}\n",
      quoted(binding.site), quoted(binding.certificate.path), quoted(endpoint.address.host),
      endpoint.address.port, names, endpoint.without_sni, quoted(endpoint.unproven));
}

int dump(const std::string& path) {
  Disk disk;
  Root root("/", disk);
  auto config = nginx::read_config(path, root);
  if (!config) {
    fmt::print(stderr, "{}\n", config.error().message());
    return 1;
  }
  for (const auto& file : config->files) print_file(*file);
  for (const Diagnostic& diagnostic : config->diagnostics)
    fmt::print("{{\"error\": {}, \"file\": {}, \"line\": {}}}\n", quoted(diagnostic.message),
               quoted(diagnostic.file), diagnostic.line);
  for (const Binding& binding : nginx::discover_bindings(std::move(*config), root).bindings)
    for (const Endpoint& endpoint : binding.endpoints) print_endpoint(binding, endpoint);
  return 0;
}

}  // namespace
}  // namespace certrebind

int main(int count, char** arguments) {
  if (count == 2) return certrebind::dump(arguments[1]);
  fmt::print(stderr, "usage: nginx_dump MAIN-CONFIGURATION\n");
  return 2;
}
