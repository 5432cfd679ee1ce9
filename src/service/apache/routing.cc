#include "service/apache/routing.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "service/apache/name_table.h"
#include "service/loopback.h"
#include "service/sni_name.h"

namespace certrebind::apache {

namespace {

// An unused label for probing a wildcard. If a host uses it, a number is appended.
constexpr std::string_view kProbeLabel = "certrebind-probe";
constexpr int kProbeLabels = 5;

using Members = std::vector<uint32_t>;

class Router {
 public:
  explicit Router(const Hosts& hosts) : hosts_(hosts), loopback_(specific()) {
    routing_.routes.resize(hosts.all.size());
    routing_.lodgers.resize(hosts.all.size());
    for (uint32_t i = 1; i < hosts.all.size(); ++i)
      for (const Socket& address : hosts.all[i].addresses) {
        Members& members = by_address_[address.in_one_list()];
        if (members.empty() || members.back() != i) members.push_back(i);
      }
  }

  Routing run() {
    for (const Listener& listener : hosts_.listeners) add_listener(listener.at);
    for (uint32_t i = 0; i < routing_.groups.size(); ++i) route_group(i);
    return std::move(routing_);
  }

 private:
  // Non-wildcard addresses that have their own hosts or listeners.
  std::set<std::pair<std::string, uint16_t>> specific() const;
  void add_listener(const Socket& listener);
  void add_group(const Socket& listener, const Socket& at);
  const Members& members_at(const Socket& at) const;
  const Members* members_of(const Socket& address) const {
    auto found = by_address_.find(address);
    return found == by_address_.end() ? nullptr : &found->second;
  }
  Reach reach(const Socket& listener, const Socket& at) const;
  void route_group(uint32_t index);
  Route& route_of(uint32_t host, uint32_t group);
  void add_probes(uint32_t position, const Host& host, const NameTable& table, Route& route) const;
  bool may_be_chosen(uint32_t position, const Members& members, const NameTable& table) const;

  const Hosts& hosts_;
  Loopback loopback_;
  std::map<Socket, Members> by_address_;
  std::set<std::pair<std::string, uint16_t>> known_;  // addresses with a group
  Members main_only_{0};
  Routing routing_;
};

std::set<std::pair<std::string, uint16_t>> Router::specific() const {
  std::set<std::pair<std::string, uint16_t>> found;
  std::set<uint16_t> ports;
  for (const Listener& each : hosts_.listeners) {
    const Socket& listener = each.at;
    ports.insert(listener.port);
    if (!listener.wildcard()) found.emplace(listener.host, listener.port);
  }
  for (const Host& host : hosts_.all)
    for (const Socket& address : host.addresses) {
      if (address.wildcard()) continue;
      if (address.port != 0) found.emplace(address.host, address.port);
      if (address.port == 0)
        for (uint16_t port : ports) found.emplace(address.host, port);
    }
  return found;
}

bool hears(const Socket& listener, const Socket& address) {
  bool port = address.port == 0 || address.port == listener.port;
  bool family = listener.family == Family::any || listener.family == address.family ||
                listener.family == Family::ipv6;  // [::] also accepts IPv4-mapped addresses
  return port && family;
}

// A listener on all addresses reaches the hosts of each specific address, and those of all others.
void Router::add_listener(const Socket& listener) {
  if (!listener.wildcard()) return add_group(listener, listener);
  for (const auto& [address, members] : by_address_)
    if (!address.wildcard() && hears(listener, address))
      add_group(listener, {address.family, address.host, listener.port});
  add_group(listener, listener);
}

// The hosts of the specific address, otherwise those for all addresses of its port
// (ap_update_vhost_given_ip). If there are none, the main server is used.
const Members& Router::members_at(const Socket& at) const {
  const Members* found = nullptr;
  if (!at.wildcard()) {
    found = members_of(at);
    if (found == nullptr) found = members_of({at.family, at.host, 0});
  }
  if (found == nullptr) found = members_of({Family::any, "", at.port});
  if (found == nullptr) found = members_of({Family::any, "", 0});
  return found == nullptr ? main_only_ : *found;
}

Reach Router::reach(const Socket& listener, const Socket& at) const {
  if (at.family == Family::unresolved)
    return {Address{at.host, at.port, ""},
            fmt::format("httpd resolved the host name {} when it started; it is not in /etc/hosts",
                        at.host)};
  if (!at.wildcard()) return {Address{at.host, at.port, ""}, ""};
  return listener.family == Family::ipv6 ? loopback_.ipv6(at.port) : loopback_.ipv4(at.port);
}

void Router::add_group(const Socket& listener, const Socket& at) {
  const Members& members = members_at(at);
  if (!hosts_.all[members.front()].has_tls()) return;
  if (!at.wildcard() && !known_.emplace(at.host, at.port).second) return;
  Reach where = reach(listener, at);
  auto proxied = [&](uint32_t host) { return hosts_.all[host].proxy_protocol.value_or(false); };
  routing_.groups.push_back({listener.text(), where.address, where.unproven, members,
                             std::ranges::any_of(members, proxied)});
}

void Router::route_group(uint32_t index) {
  const Members& members = routing_.groups[index].hosts;
  NameTable table;
  for (uint32_t position = 0; position < members.size(); ++position) {
    const Host& host = hosts_.all[members[position]];
    if (!host.name.empty()) table.add(host.name, position);
    for (const ServerName& name : host.names) table.add(name.text, position);
  }
  uint32_t first = members.front();
  for (uint32_t position = 0; position < members.size(); ++position) {
    uint32_t own = members[position];
    const Host& host = hosts_.all[own];
    uint32_t shown = host.has_tls() ? own : first;
    Route& route = route_of(shown, index);
    add_probes(position, host, table, route);
    if (shown == own) route.never_chosen = position > 0 && !may_be_chosen(position, members, table);
    if (shown == own) continue;
    for (const ServerName& name : host.names)
      if (!name.pattern && !name.inherited) routing_.lodgers[first].push_back(name.text);
  }
  route_of(first, index).without_sni = true;
}

Route& Router::route_of(uint32_t host, uint32_t group) {
  std::vector<Route>& routes = routing_.routes[host];
  auto known = std::ranges::find(routes, group, &Route::group);
  if (known != routes.end()) return *known;
  routes.push_back({.group = group, .probe_names = {}, .without_sni = false});
  return routes.back();
}

// Adds the SNI that selects the host at `position` by its names; none if the table does not map any
// to it.
void Router::add_probes(uint32_t position, const Host& host, const NameTable& table,
                        Route& route) const {
  auto add = [&](std::string name) {
    if (!is_sni_name(name) || table.find(name) != position) return false;
    if (std::ranges::find(route.probe_names, name) == route.probe_names.end())
      route.probe_names.push_back(std::move(name));
    return true;
  };
  for (const ServerName& name : host.names) {
    if (!name.pattern) {
      add(name.text);
      continue;
    }
    for (int i = 1; i <= kProbeLabels; ++i) {
      std::string label = i == 1 ? std::string(kProbeLabel) : fmt::format("{}-{}", kProbeLabel, i);
      std::string probe;
      for (char c : name.text) probe += c == '*' ? label : std::string(1, c == '?' ? 'x' : c);
      if (add(std::move(probe))) break;
    }
  }
}

// True if some name may lead to this host: it has a name that no earlier one has. "*" of an earlier
// pattern stands for any bytes, and so for the "*" of a later one.
bool Router::may_be_chosen(uint32_t position, const Members& members,
                           const NameTable& table) const {
  const Host& host = hosts_.all[members[position]];
  if (host.name.empty()) return true;  // httpd looks its name up
  auto is_taken = [&](const ServerName& wanted) {
    if (!wanted.pattern) return !is_sni_name(wanted.text) || table.find(wanted.text) != position;
    return std::any_of(members.begin(), members.begin() + position, [&](uint32_t earlier) {
      return std::ranges::any_of(hosts_.all[earlier].names, [&](const ServerName& name) {
        return name.pattern && name.text.find('?') == std::string::npos &&
               matches_pattern(name.text, wanted.text);
      });
    });
  };
  return !std::ranges::all_of(host.names, is_taken);
}

}  // namespace

Routing route(const Hosts& hosts) {
  return Router(hosts).run();
}

}  // namespace certrebind::apache
