#include "service/nginx/bindings.h"

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
