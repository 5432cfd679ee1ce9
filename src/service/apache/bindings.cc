#include "service/apache/bindings.h"

#include <iterator>

#include "base/parallel.h"
#include "base/text.h"
#include "service/apache/client_bindings.h"
#include "service/apache/hosts.h"
#include "service/apache/own_view.h"
#include "service/apache/server_bindings.h"

namespace certrebind::apache {

namespace {

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

// The program that tells httpd the passphrases of its keys (SSLPassPhraseDialog in mod_ssl); empty
// if a person would type them.
std::string passphrase_program(const Config& config) {
  std::string program;
  for (const Node& node : config.nodes) {
    if (!node.is("SSLPassPhraseDialog") || node.arguments().empty()) continue;
    std::string_view value = node.arguments().front().value;
    program.clear();
    for (std::string_view kind : {"exec:", "|"})
      if (value.starts_with(kind)) program = value.substr(kind.size());
  }
  return program.substr(0, program.find(' '));
}

// Why a reload failed is written to the main server's log (ErrorLog in core).
std::vector<std::string> error_logs(const Config& config, const Root& root) {
  std::vector<std::string> logs;
  for (size_t i = 0; i < config.nodes.size(); i = config.nodes[i].next) {
    const Node& node = config.nodes[i];
    if (node.section || !node.is("ErrorLog") || node.arguments().empty()) continue;
    const std::string_view to = node.arguments().front().value;
    logs.clear();  // the last one counts
    if (!to.starts_with('|') && !to.starts_with("syslog") && !to.starts_with("journald"))
      logs.push_back(root.on_host(normalized(absolute_in(config.server_root, to))));
  }
  return logs;
}

}  // namespace

Discovery discover_bindings(Config config, Root& root) {
  HostNames names(root);
  Hosts hosts = read_hosts(config, names);
  Discovery shown, used;
  std::vector<std::string> named;
  // Without mod_ssl its directives are in skipped sections, or httpd rejects them.
  const bool serves = config.has_module("ssl_module");
  for_each_index(2, 2, [&](size_t which) {
    if (which == 0 && serves) shown = server_bindings(hosts, config, root);
    if (which == 0) return;
    used = client_bindings(config, hosts, root);
    named = named_certificates(hosts, config.server_root);
  });
  std::vector<std::string> obeyed = config.directories;
  for (const auto& file : config.files)
    if (!file->real.empty()) obeyed.push_back(root.on_host(file->path));
  for (const std::string& loaded : config.loads) obeyed.push_back(root.on_host(loaded));
  const std::string program = passphrase_program(config);
  if (!program.empty()) obeyed.push_back(root.on_host(absolute_in(config.server_root, program)));
  for (Binding& binding : shown.bindings) binding.has_passphrase = !program.empty();
  std::vector<std::string> logs = error_logs(config, root);
  Discovery all{std::move(shown.bindings), std::move(config.diagnostics),
                std::move(config.directories)};
  all.listens = listen_addresses(hosts);
  all.named = std::move(named);
  for (const auto& file : config.files)
    if (!file->real.empty()) all.configured_by.push_back(file->real);
  all.obeyed = std::move(obeyed);
  all.error_logs = std::move(logs);
  append(all.configured_by, std::move(used.configured_by));
  append(all.read_whole, std::move(config.whole));
  append(all.read_whole, std::move(used.read_whole));
  append(all.bindings, std::move(used.bindings));
  append(all.diagnostics, std::move(hosts.diagnostics));
  append(all.diagnostics, std::move(shown.diagnostics));
  return all;
}

}  // namespace certrebind::apache
