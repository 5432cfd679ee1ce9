#include "service/apache/server_bindings.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "service/apache/managed.h"
#include "service/apache/routing.h"
#include "service/apache/values.h"
#include "service/sni_name.h"

namespace certrebind::apache {

namespace {

class Binder {
 public:
  Binder(const Hosts& hosts, const Config& config, Root& root)
      : hosts_(hosts),
        config_(config),
        root_(root),
        routing_(route(hosts)),
        managed_(read_managed(config, root)) {}

  Discovery run() {
    found_.bindings.reserve(hosts_.all.size());
    for (uint32_t i = 0; i < hosts_.all.size(); ++i) bind_host(i);
    report_unused();
    found_.diagnostics.insert(found_.diagnostics.end(), managed_.diagnostics.begin(),
                              managed_.diagnostics.end());
    return std::move(found_);
  }

 private:
  void bind_host(uint32_t index);
  Binding outline(uint32_t index) const;
  static void add_names(const Host& host, const std::vector<Route>& routes, Binding& binding);
  void add_pair(const Host& host, size_t position, Binding binding, bool with_chain);
  void add_chain(const Host& host, Binding& binding) const;
  void report_unused();
  void report(Severity severity, const Value& where, std::string message) {
    found_.diagnostics.push_back(
        diagnostic_at(severity, *where.file, *where.word, std::move(message)));
  }

  const Hosts& hosts_;
  const Config& config_;
  Root& root_;
  Routing routing_;
  Managed managed_;
  Discovery found_;
  std::unordered_set<const Word*> used_;
};

void Binder::bind_host(uint32_t index) {
  const Host& host = hosts_.all[index];
  if (!host.has_tls()) {
    if (host.where && host.own_certificates)
      report(
          Severity::note, host.tls.certificates.front(),
          fmt::format("{} names a certificate, but SSLEngine is not on", printable(host.site())));
    return;
  }
  // The main server is used only if no virtual host is.
  if (!host.where && routing_.routes[index].empty()) return;
  const Binding binding = outline(index);
  const size_t first = found_.bindings.size();
  std::vector<Binding> managed = managed_bindings(managed_, host, binding, config_, root_);
  if (host.tls.certificates.empty() && managed.empty() && host.where)
    report(Severity::error, host.where,
           fmt::format("{} has SSLEngine on and no certificate: httpd does not start with it",
                       printable(host.site())));
  if (!host.tls.certificates.empty() && routing_.routes[index].empty())
    report(
        Severity::note, host.tls.certificates.front(),
        fmt::format("{} names a certificate but listens nowhere with TLS", printable(host.site())));
  for (size_t i = 0; i < host.tls.certificates.size(); ++i)
    add_pair(host, i, binding, managed.empty());
  if (managed.empty() && found_.bindings.size() > first)
    found_.bindings.back().next_certificate = waits_for(managed_, host);
  std::ranges::move(managed, std::back_inserter(found_.bindings));
  for (size_t i = first; i < found_.bindings.size(); ++i)
    found_.bindings[i].further_pairs = found_.bindings.size() - 1 - i;
}

// The binding of a host without its files.
Binding Binder::outline(uint32_t index) const {
  const Host& host = hosts_.all[index];
  Binding binding;
  binding.site = host.site();
  binding.stapling = host.tls.stapling.value_or(false);
  if (!host.tls.only_newest.value_or(false)) binding.ciphers = host.tls.ciphers.value_or("");
  add_names(host, routing_.routes[index], binding);
  for (const std::string& name : routing_.lodgers[index])
    if (std::ranges::find(binding.names, name) == binding.names.end())
      binding.names.push_back(name);
  const std::vector<Route>& routes = routing_.routes[index];
  binding.never_chosen = !routes.empty() && std::ranges::all_of(routes, &Route::never_chosen);
  for (const Route& route : routes) {
    const Group& group = routing_.groups[route.group];
    Endpoint& endpoint = binding.endpoints.emplace_back();
    endpoint.address = group.address;
    endpoint.listens = group.listens;
    endpoint.proxy_protocol = group.proxy_protocol;
    endpoint.probe_names = route.probe_names;
    endpoint.without_sni = route.without_sni;
    endpoint.unproven = group.unproven;
    if (endpoint.unproven.empty() && route.probe_names.empty() && !route.without_sni)
      endpoint.unproven = "no name that can be sent leads to this virtual host here";
  }
  return binding;
}

// The main server's name counts for a host that inherits it only if it leads there, and if it may
// be a site's: "localhost" and addresses are written there to silence httpd.
bool is_of_the_site(const ServerName& name, const std::vector<Route>& routes) {
  if (!name.inherited) return true;
  return name.text.find('.') != std::string::npos && is_sni_name(name.text) &&
         std::ranges::any_of(routes, [&](const Route& route) {
           return std::ranges::find(route.probe_names, name.text) != route.probe_names.end();
         });
}

// Certificates can cover patterns of the form "*." and a name. Other patterns are probed, but not
// compared with certificates.
void Binder::add_names(const Host& host, const std::vector<Route>& routes, Binding& binding) {
  for (const ServerName& name : host.names) {
    if (!is_of_the_site(name, routes)) continue;
    bool coverable = !name.pattern || (name.text.starts_with("*.") &&
                                       name.text.find_first_of("*?", 1) == std::string::npos);
    if (coverable && !name.text.empty() &&
        std::ranges::find(binding.names, name.text) == binding.names.end())
      binding.names.push_back(name.text);
  }
}

// The nth certificate belongs to the nth key. If there is no key directive, httpd reads the key
// from the certificate's file (ssl_init_server_certs).
void Binder::add_pair(const Host& host, size_t position, Binding binding, bool with_chain) {
  const Value& certificate = host.tls.certificates[position];
  used_.insert(certificate.word);
  NamedValue named = named_value(certificate, config_.server_root, root_);
  binding.certificate = std::move(named.file);
  binding.not_editable = std::move(named.not_editable);
  binding.key = binding.certificate;
  if (position < host.tls.keys.size()) {
    NamedValue key = named_value(host.tls.keys[position], config_.server_root, root_);
    binding.key = std::move(key.file);
    if (binding.not_editable.empty()) binding.not_editable = std::move(key.not_editable);
  }
  if (host.tls.chain && with_chain) add_chain(host, binding);
  found_.bindings.push_back(std::move(binding));
}

// The chain file replaces all certificates behind the leaf, for all certificates of the host. httpd
// ignores it if mod_md adds a pair.
void Binder::add_chain(const Host& host, Binding& binding) const {
  NamedValue chain = named_value(host.tls.chain, config_.server_root, root_);
  if (chain.file.path == binding.certificate.path) return;
  binding.chain = std::move(chain.file);
  if (!binding.not_editable.empty()) return;
  binding.not_editable = std::move(chain.not_editable);
  if (host.tls.certificates.size() > 1)
    binding.not_editable = "one SSLCertificateChainFile serves several certificates";
}

void Binder::report_unused() {
  for (const Value& certificate : hosts_.all.front().tls.certificates)
    if (!used_.contains(certificate.word))
      report(Severity::note, certificate, "no host shows this certificate");
}

}  // namespace

Discovery server_bindings(const Hosts& hosts, const Config& config, Root& root) {
  return Binder(hosts, config, root).run();
}

}  // namespace certrebind::apache
