#include "service/nginx/routing.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "service/nginx/name_table.h"
#include "service/sni_name.h"

namespace certrebind::nginx {

namespace {

// An unused label for probing a wildcard. If a server uses it, a number is appended.
constexpr std::string_view kProbeLabel = "certrebind-probe";
constexpr int kProbeLabels = 5;

bool rejects(const Server& server) {
  return server.tls.rejects.value_or(false);
}

class Router {
 public:
  explicit Router(const std::vector<Server>& servers) : servers_(servers) {
    routing_.routes.resize(servers.size());
    routing_.lodgers.resize(servers.size());
  }

  Routing run() {
    for (uint32_t i = 0; i < servers_.size(); ++i)
      for (const Listen& listen : servers_[i].listens) join(i, listen);
    for (uint32_t i = 0; i < routing_.groups.size(); ++i) {
      Group& group = routing_.groups[i];
      group.tls = has_tls(group);
      if (group.tls) route_group(i);
    }
    return std::move(routing_);
  }

 private:
  void join(uint32_t server, const Listen& listen);
  bool has_tls(const Group& group) const;
  void route_group(uint32_t index);
  using Named = std::unordered_set<uint32_t>;
  NameTable name_table(const Group& group, Named& named);
  void report_conflict(const ServerName& name, const Group& group);
  void add_route(uint32_t server, uint32_t index, const NameTable& table);
  void lodge(uint32_t server, uint32_t index, const NameTable& table);
  std::vector<std::string> probe_names(uint32_t server, const NameTable& table) const;
  void probe_name(const std::string& name, uint32_t server, const NameTable& table,
                  std::vector<std::string>& probes) const;
  std::string why_unproven(uint32_t server, const Route& route) const;

  const std::vector<Server>& servers_;
  Routing routing_;
  std::unordered_map<std::string, uint32_t> group_by_address_;
  std::unordered_set<const Word*> reported_;
};

void Router::join(uint32_t server, const Listen& listen) {
  bool stream = servers_[server].stream;
  std::string key = stream ? "s" : "h";
  key += listen.udp ? 'u' : 't';
  key += listen.text;
  auto [found, first] =
      group_by_address_.emplace(std::move(key), static_cast<uint32_t>(routing_.groups.size()));
  if (first) {
    routing_.groups.push_back({listen, stream, false, {server}, server});
    return;
  }
  Group& group = routing_.groups[found->second];
  if (group.servers.back() != server) group.servers.push_back(server);
  if (listen.default_server && !group.listen.default_server) group.default_server = server;
  group.listen.default_server |= listen.default_server;
  group.listen.ssl |= listen.ssl;
  group.listen.proxy_protocol |= listen.proxy_protocol;
  group.listen.ipv6only &= listen.ipv6only;
}

// `ssl on` of the default server turns TLS on for the address (ngx_http_init_connection checks it
// before any name is known). In other servers it has no effect. QUIC always uses TLS.
bool Router::has_tls(const Group& group) const {
  if (group.listen.udp) return !group.stream;
  if (group.listen.ssl) return true;
  return !group.stream && servers_[group.default_server].tls.old_ssl.value_or(false);
}

void Router::route_group(uint32_t index) {
  const Group& group = routing_.groups[index];
  Named named;
  NameTable table = name_table(group, named);
  for (uint32_t server : group.servers) {
    if (servers_[server].has_certificates()) {
      add_route(server, index, table);
    } else if (!rejects(servers_[server]) && server != group.default_server) {
      lodge(server, index, table);
    }
  }
  for (uint32_t server : group.servers) {
    for (Route& route : routing_.routes[server]) {
      if (route.group != index) continue;
      route.unproven = why_unproven(server, route);
      route.never_chosen = server != group.default_server && !named.contains(server);
    }
  }
}

// `named`: the servers that a client may choose by a name.
NameTable Router::name_table(const Group& group, Named& named) {
  NameTable table;
  table.reserve(group.servers.size());
  for (uint32_t server : group.servers)
    for (const ServerName& name : servers_[server].names) {
      if (!name.regex && name.text.empty()) continue;
      const bool own = name.regex || table.add(name.text, server);
      if (!own) report_conflict(name, group);
      if (own && name.text != "_") named.insert(server);
    }
  return table;
}

void Router::report_conflict(const ServerName& name, const Group& group) {
  if (name.text == "_" || !reported_.insert(name.where.word).second) return;
  routing_.diagnostics.push_back(diagnostic_at(
      Severity::warning, *name.where.file, *name.where.word,
      fmt::format(
          "conflicting server name \"{}\" on {}: an earlier one answers, nginx ignores this",
          printable(name.text), printable(group.listen.text))));
}

void Router::add_route(uint32_t server, uint32_t index, const NameTable& table) {
  Route route;
  route.group = index;
  route.probe_names = probe_names(server, table);
  route.without_sni = server == routing_.groups[index].default_server && !rejects(servers_[server]);
  // Lodgers of the default server may have been added first.
  std::vector<Route>& routes = routing_.routes[server];
  auto same = [&](const Route& known) { return known.group == index; };
  auto known = std::find_if(routes.begin(), routes.end(), same);
  if (known != routes.end()) {
    route.probe_names.insert(route.probe_names.end(), known->probe_names.begin(),
                             known->probe_names.end());
    *known = std::move(route);
  } else {
    routes.push_back(std::move(route));
  }
}

// Assigns the names of a server without a certificate to the default server of the address.
void Router::lodge(uint32_t server, uint32_t index, const NameTable& table) {
  uint32_t host = routing_.groups[index].default_server;
  if (!servers_[host].has_certificates()) return;
  std::vector<Route>& routes = routing_.routes[host];
  auto same = [&](const Route& known) { return known.group == index; };
  auto route = std::find_if(routes.begin(), routes.end(), same);
  if (route == routes.end()) {
    routes.emplace_back().group = index;
    route = routes.end() - 1;
  }
  for (std::string& name : probe_names(server, table))
    route->probe_names.push_back(std::move(name));
  for (const ServerName& name : servers_[server].names)
    if (!name.regex && !name.text.empty() && name.text != "_")
      routing_.lodgers[host].push_back(name.text);
}

std::vector<std::string> Router::probe_names(uint32_t server, const NameTable& table) const {
  std::vector<std::string> probes;
  if (rejects(servers_[server])) return probes;
  for (const ServerName& name : servers_[server].names)
    if (!name.regex) probe_name(name.text, server, table, probes);
  return probes;
}

// Adds the SNI that selects `server` by this name; none if the table does not map any to it.
void Router::probe_name(const std::string& name, uint32_t server, const NameTable& table,
                        std::vector<std::string>& probes) const {
  auto add = [&](std::string host) {
    if (!is_sni_name(host) || table.find(host) != server) return false;
    if (std::find(probes.begin(), probes.end(), host) == probes.end())
      probes.push_back(std::move(host));
    return true;
  };
  bool head = name.starts_with("*.") || name.starts_with('.');
  bool tail = !head && name.ends_with(".*");
  if (!head && !tail) {
    add(name);
    return;
  }
  if (name.starts_with('.')) add(name.substr(1));
  std::string_view fixed = std::string_view(name).substr(name.starts_with('*') ? 1 : 0);
  if (tail) fixed.remove_suffix(1);
  for (int i = 1; i <= kProbeLabels; ++i) {
    std::string label = i == 1 ? std::string(kProbeLabel) : fmt::format("{}-{}", kProbeLabel, i);
    if (add(head ? fmt::format("{}{}", label, fixed) : fmt::format("{}{}.test", fixed, label)))
      return;
  }
}

std::string Router::why_unproven(uint32_t server, const Route& route) const {
  if (servers_[server].tls.chosen_by_lua)
    return "a Lua program chooses the certificate at each handshake (ssl_certificate_by_lua)";
  if (!route.probe_names.empty() || route.without_sni) return {};
  if (rejects(servers_[server])) return "this server rejects handshakes (ssl_reject_handshake)";
  return "no name that can be sent leads to this server here";
}

}  // namespace

Routing route(const std::vector<Server>& servers) {
  return Router(servers).run();
}

}  // namespace certrebind::nginx
