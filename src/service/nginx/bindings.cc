#include "service/nginx/bindings.h"

#include "base/text.h"

#include <iterator>

#include "service/nginx/client_bindings.h"
#include "service/nginx/server_bindings.h"
#include "service/nginx/servers.h"
#include "service/nginx/strays.h"

namespace certrebind::nginx {

namespace {

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

std::vector<std::string> obeyed_by(const Config& config, const std::string& prefix,
                                   const Root& root) {
  std::vector<std::string> obeyed = config.directories;
  for (const auto& file : config.files) obeyed.push_back(root.on_host(file->path));
  for (const Node& node : config.nodes)
    if (node.name() == "load_module" && node.arguments().size() == 1)
      obeyed.push_back(root.on_host(absolute_in(prefix, node.arguments().front().value)));
  return obeyed;
}

// Why a reload failed is written to the log of the main context (error_log in ngx_core_module).
std::vector<std::string> error_logs(const Config& config, const std::string& prefix,
                                    const Root& root) {
  std::vector<std::string> logs;
  for (size_t i = 0; i < config.nodes.size(); i = config.nodes[i].next) {
    const Node& node = config.nodes[i];
    if (node.name() != "error_log" || node.arguments().empty()) continue;
    const std::string_view to = node.arguments().front().value;
    const bool is_file = to != "stderr" && !to.starts_with("syslog:") && !to.starts_with("memory:");
    if (is_file) logs.push_back(root.on_host(absolute_in(prefix, to)));
  }
  return logs;
}

Discovery discover_bindings(Config config, Root& root) {
  HostNames hosts(root);
  Servers servers = read_servers(config, hosts);
  Discovery shown = server_bindings(servers, config.directory, root);
  Discovery used = client_bindings(config, servers.all, root);
  Discovery all{std::move(shown.bindings), std::move(config.diagnostics),
                std::move(config.directories)};
  all.listens = listen_addresses(servers);
  for (const auto& file : config.files) all.configured_by.push_back(file->real);
  append(all.bindings, std::move(used.bindings));
  append(all.diagnostics, std::move(servers.diagnostics));
  append(all.diagnostics, std::move(shown.diagnostics));
  append(all.diagnostics, std::move(used.diagnostics));
  append(all.diagnostics, stray_certificates(config));
  return all;
}

}  // namespace certrebind::nginx
