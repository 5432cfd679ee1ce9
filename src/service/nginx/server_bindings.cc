#include "service/nginx/server_bindings.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "service/nginx/reach.h"
#include "service/nginx/routing.h"
#include "service/sni_name.h"

namespace certrebind::nginx {

namespace {

class Binder {
 public:
  Binder(const Servers& servers, const std::string& directory, const Root& root)
      : servers_(servers), directory_(directory), root_(root), routing_(route(servers.all)) {
    found_.diagnostics = std::move(routing_.diagnostics);
    Reaches reaches(routing_.groups, root);
    for (const Group& group : routing_.groups) reaches_.push_back(reaches.of(group.listen));
  }

  Discovery run() {
    found_.bindings.reserve(servers_.all.size());
    for (size_t i = 0; i < servers_.all.size(); ++i) bind_server(i);
    report_missing_certificates();
    report_unused();
    return std::move(found_);
  }

 private:
  void bind_server(size_t index);
  Binding outline(size_t index) const;
  void add_names(const Server& server, const std::vector<std::string>& lodgers,
                 Binding& binding) const;
  void add_endpoints(const Route& route, const std::vector<Route>& all, Binding& binding) const;
  bool has_tcp_twin(const Listen& quic, const std::vector<Route>& routes) const;
  void add_pair(const Server& server, size_t position, Binding binding);
  void report_missing_certificates();
  void report_unused();
  void report(Severity severity, const Value& where, std::string message) {
    found_.diagnostics.push_back(
        diagnostic_at(severity, *where.file, *where.word, std::move(message)));
  }

  const Servers& servers_;
  const std::string& directory_;
  const Root& root_;
  Routing routing_;
  std::vector<std::vector<Reach>> reaches_;  // per group
  Discovery found_;
  std::unordered_set<const Word*> used_;
};

void Binder::bind_server(size_t index) {
  const Server& server = servers_.all[index];
  if (!server.has_certificates()) return;
  if (routing_.routes[index].empty()) {
    // A server without TLS does not use certificates that it only inherits.
    if (!server.own_certificates) return;
    report(Severity::note, server.tls.certificates.front(),
           fmt::format("{} names a certificate but listens nowhere with TLS",
                       printable(server.site())));
  }
  Binding binding = outline(index);
  size_t last = server.tls.certificates.size() - 1;
  for (size_t i = 0; i <= last; ++i) {
    binding.further_pairs = last - i;
    add_pair(server, i, i < last ? binding : std::move(binding));
  }
}

// The binding of a server without its files.
Binding Binder::outline(size_t index) const {
  const Server& server = servers_.all[index];
  const std::vector<Route>& routes = routing_.routes[index];
  Binding binding;
  binding.site = server.site();
  binding.has_passphrase = server.tls.has_passphrase;
  binding.stapling = server.tls.stapling.value_or(false);
  if (!server.tls.only_newest.value_or(false)) binding.ciphers = server.tls.ciphers.value_or("");
  binding.never_chosen = !routes.empty() && std::ranges::all_of(routes, &Route::never_chosen);
  add_names(server, routing_.lodgers[index], binding);
  binding.endpoints.reserve(routes.size());
  for (const Route& route : routes) add_endpoints(route, routes, binding);
  return binding;
}

void Binder::add_names(const Server& server, const std::vector<std::string>& lodgers,
                       Binding& binding) const {
  for (const ServerName& name : server.names) {
    if (name.text.empty() || name.text == "_") continue;
    bool pattern =
        name.text.starts_with("*.") || name.text.starts_with('.') || name.text.ends_with(".*");
    bool variable = name.text.starts_with('$');  // $hostname
    bool trailing = name.text.ends_with(".*");   // probed, but cannot be covered by a certificate
    if (!name.regex && !variable && !trailing)
      binding.names.push_back(name.text.starts_with('.') ? name.text.substr(1) : name.text);
    if (!name.regex && name.text.starts_with('.')) binding.names.push_back("*" + name.text);
    if (name.regex || variable || (!pattern && !is_sni_name(name.text)))
      binding.unprobed_names.emplace_back(name.where.text());
  }
  for (const std::string& name : lodgers)
    if (std::find(binding.names.begin(), binding.names.end(), name) == binding.names.end())
      binding.names.push_back(name);
}

void Binder::add_endpoints(const Route& route, const std::vector<Route>& all,
                           Binding& binding) const {
  const Listen& listen = routing_.groups[route.group].listen;
  if (listen.udp && has_tcp_twin(listen, all)) return;
  for (const Reach& reach : reaches_[route.group]) {
    Endpoint& endpoint = binding.endpoints.emplace_back();
    endpoint.address = reach.address;
    endpoint.listens = listen.text;
    endpoint.proxy_protocol = listen.proxy_protocol;
    endpoint.probe_names = route.probe_names;
    endpoint.without_sni = route.without_sni;
    endpoint.unproven = route.unproven.empty() ? reach.unproven : route.unproven;
    if (listen.udp)
      endpoint.unproven = "it answers over QUIC only; there is no TCP listener beside";
  }
}

bool Binder::has_tcp_twin(const Listen& quic, const std::vector<Route>& routes) const {
  return std::any_of(routes.begin(), routes.end(), [&](const Route& route) {
    const Listen& listen = routing_.groups[route.group].listen;
    return !listen.udp && listen.text == quic.text;
  });
}

// The nth certificate belongs to the nth key (ngx_ssl_certificates).
void Binder::add_pair(const Server& server, size_t position, Binding binding) {
  const Value& certificate = server.tls.certificates[position];
  used_.insert(certificate.word);
  NamedValue named = named_value(certificate, directory_, root_);
  binding.certificate = std::move(named.file);
  binding.not_editable = std::move(named.not_editable);
  if (position < server.tls.keys.size()) {
    NamedValue key = named_value(server.tls.keys[position], directory_, root_);
    binding.key = std::move(key.file);
    if (binding.not_editable.empty()) binding.not_editable = std::move(key.not_editable);
  } else {
    report(Severity::error, certificate,
           fmt::format("no ssl_certificate_key goes with certificate {} of {}", position + 1,
                       printable(server.site())));
    binding.not_editable = "no ssl_certificate_key goes with this certificate";
  }
  found_.bindings.push_back(std::move(binding));
}

// nginx starts with such a server only if it is not the default one of an address
// (ngx_http_ssl_init).
void Binder::report_missing_certificates() {
  for (const Group& group : routing_.groups) {
    const Server& server = servers_.all[group.default_server];
    if (!group.tls || server.has_certificates() || server.tls.rejects.value_or(false)) continue;
    report(Severity::error, server.where,
           fmt::format("no ssl_certificate for {}, whose default server this is",
                       printable(group.listen.text)));
  }
}

void Binder::report_unused() {
  for (const Value& certificate : servers_.shared)
    if (!used_.contains(certificate.word))
      report(Severity::note, certificate, "no server shows this certificate");
}

}  // namespace

Discovery server_bindings(const Servers& servers, const std::string& directory, const Root& root) {
  return Binder(servers, directory, root).run();
}

}  // namespace certrebind::nginx
