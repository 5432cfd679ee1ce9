// Prints what the Apache room reads of a configuration, for comparing with httpd itself: a JSON
// object on each line. Bytes are written as the Latin-1 characters of their values.
//
//   apache_dump /etc/apache2/apache2.conf [-D NAME]...
#include <fmt/format.h>

#include <cstdio>

#include "base/text.h"
#include "service/apache/discover.h"
#include "service/apache/hosts.h"
#include "sys/disk.h"

namespace certrebind {
namespace {

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

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + quoted(text);
  return "[" + list + "]";
}

void print_host(const apache::Host& host, const apache::Config& config) {
  std::vector<std::string> addresses, names, certificates;
  for (const apache::Socket& address : host.addresses) addresses.push_back(address.in_one_list().text());
  for (const apache::ServerName& name : host.names)
    if (name.text != host.own_name && !name.inherited) names.push_back(name.text);
  for (const apache::Value& value : host.tls.certificates)
    certificates.push_back(absolute_in(config.server_root, value.text()));
  apache::Value where = host.where;
  fmt::print(
      "{{\"host\": {}, \"addresses\": {}, \"aliases\": {}, \"certificates\": {}, \"file\": {}, "
      "\"line\": {}}}\n",
      quoted(host.name), quoted_list(addresses), quoted_list(names), quoted_list(certificates),
      quoted(where ? where.file->path : ""), where ? where.word->line : 0);
}

int dump(const std::string& path, const std::vector<std::string>& defines) {
  Disk disk;
  SystemProcessTable processes;
  SystemCommands commands;
  std::vector<Diagnostic> diagnostics;
  Root root("/", disk);
  auto instance = apache::instance_for(path, processes, commands, disk, diagnostics);
  if (instance) instance->given.defines = defines;
  auto config = instance ? apache::read_config(instance->given, root)
                         : Result<apache::Config>(pass(instance));
  if (!config) {
    fmt::print(stderr, "{}\n", config.error().message());
    return 1;
  }
  for (const auto& file : config->files) fmt::print("{{\"read\": {}}}\n", quoted(file->path));
  HostNames names(root);
  apache::Hosts hosts = apache::read_hosts(*config, names);
  for (const auto* diagnosed : {&config->diagnostics, &hosts.diagnostics})
    for (const Diagnostic& diagnostic : *diagnosed)
      fmt::print("{{\"error\": {}, \"line\": {}}}\n", quoted(diagnostic.message), diagnostic.line);
  for (const apache::Host& host : hosts.all) print_host(host, *config);
  return 0;
}

}  // namespace
}  // namespace certrebind

int main(int count, char** arguments) {
  std::vector<std::string> defines;
  for (int i = 3; i < count; i += 2) defines.emplace_back(arguments[i]);
  if (count >= 2) return certrebind::dump(arguments[1], defines);
  fmt::print(stderr, "usage: apache_dump MAIN-CONFIGURATION [-D NAME]...\n");
  return 2;
}
