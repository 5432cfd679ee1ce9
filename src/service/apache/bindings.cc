#include "service/apache/bindings.h"

#include <iterator>

#include "service/apache/client_bindings.h"
#include "service/apache/hosts.h"
#include "service/apache/server_bindings.h"

namespace certrebind::apache {

namespace {

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

Discovery discover_bindings(Config config, Root& root) {
  HostNames names(root);
  Hosts hosts = read_hosts(config, names);
  Discovery shown;
  // Without mod_ssl its directives stand in sections that are not read, or httpd refuses them.
  if (config.has_module("ssl_module")) shown = server_bindings(hosts, config, root);
  Discovery used = client_bindings(config, hosts, root);
  Discovery all{std::move(shown.bindings), std::move(config.diagnostics),
                std::move(config.directories)};
  for (const auto& file : config.files)
    if (!file->real.empty()) all.configured_by.push_back(file->real);
  append(all.configured_by, std::move(used.configured_by));
  append(all.bindings, std::move(used.bindings));
  append(all.diagnostics, std::move(hosts.diagnostics));
  append(all.diagnostics, std::move(shown.diagnostics));
  return all;
}

}  // namespace certrebind::apache
