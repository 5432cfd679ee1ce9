#include "service/haproxy/bindings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <tuple>

#include "base/text.h"
#include "service/haproxy/candidates.h"
#include "service/haproxy/listen_addresses.h"
#include "service/haproxy/listeners.h"
#include "service/haproxy/live_update.h"
#include "service/haproxy/sni.h"
#include "service/host_names.h"
#include "service/loopback.h"

namespace certrebind::haproxy {

namespace {

std::string in_shell_quotes(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// Prints a certificate and its key from HAProxy's memory (management guide, section 9.3). Empty for
// an abstract socket, and for names that cannot be pasted.
std::string dump_command(const Address& socket, const std::string& name) {
  auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  // socat(1) takes "!!" and commas in an address for more than a path.
  auto is_plain = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("/._-").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (socket.unix_path.starts_with('@') || std::ranges::any_of(name, is_control) ||
      !std::ranges::all_of(socket.unix_path, is_plain))
    return {};
  const std::string where =
      socket.unix_path.empty() ? "TCP:" + socket.text() : "UNIX-CONNECT:" + socket.unix_path;
  return fmt::format("echo {} | socat - {}", in_shell_quotes("dump ssl cert " + socket_word(name)),
                     in_shell_quotes(where));
}

class Binder {
 public:
  Binder(const Globals& globals, const Listeners& listeners, const Looks& looks, const Root& root)
      : globals_(globals),
        listeners_(listeners),
        looks_(looks),
        root_(root),
        hosts_(root),
        loopback_(specific_addresses()) {
    for (const Listener& listener : listeners.all)
      for (const BindAddress& address : listener.addresses)
        for (const std::string& place : taken_by(address, listener))
          sharing_[place].push_back(&listener);
  }

  std::vector<Binding> run() {
    size_t count = listeners_.clients.size();
    for (const Listener& listener : listeners_.all) count += listener.uses.size();
    bindings_.reserve(count);
    for (const Listener& listener : listeners_.all) bind(listener);
    for (const ClientUse& client : listeners_.clients) bind_client(client);
    return std::move(bindings_);
  }

 private:
  std::set<std::pair<std::string, uint16_t>> specific_addresses() const {
    std::set<std::pair<std::string, uint16_t>> specific;
    for (const Listener& listener : listeners_.all)
      for (const BindAddress& address : listener.addresses)
        if (!address.quic && !address.host.empty()) specific.emplace(address.host, address.port);
    return specific;
  }

  void bind(const Listener& listener) {
    const std::vector<Candidate> candidates = candidates_of(listener, looks_);
    SniTable table(candidates);
    std::vector<Endpoint> places = places_of(listener);
    const std::set<size_t> defaults = defaults_of(listener, candidates);
    for (size_t i = 0; i < listener.uses.size(); ++i) {
      Binding binding = outline(listener.uses[i]);
      binding.names = candidates[i].names;
      binding.named_by_certificate = listener.uses[i].filters.empty();
      std::erase(binding.names, "*");
      binding.site = binding.names.empty() ? listener.section : binding.names.front();
      add_endpoints(places, probe_names(candidates, i, table), defaults.contains(i), binding);
      bindings_.push_back(std::move(binding));
    }
  }

  static void add_endpoints(const std::vector<Endpoint>& places,
                            const std::vector<std::string>& probes, bool without_sni,
                            Binding& binding) {
    for (Endpoint endpoint : places) {
      endpoint.probe_names = probes;
      endpoint.without_sni = without_sni;
      if (endpoint.unproven.empty() && probes.empty() && !without_sni)
        endpoint.unproven = "other certificates there answer to all of its names";
      binding.endpoints.push_back(std::move(endpoint));
    }
  }

  Binding outline(const Use& use) const {
    Binding binding;
    binding.certificate = named(use, use.word, use.pem.certificate);
    binding.key = use.key ? named(use, *use.key, use.pem.key) : binding.certificate;
    binding.key.path = use.pem.key;
    if (!use.key) binding.key.written.clear();
    binding.companions = use.pem.companions;
    binding.stapling = use.updates_ocsp;
    binding.ciphers = use.ciphers;
    binding.renews_in_memory = use.pem.acme;
    if (use.pem.acme && !globals_.admin_sockets.empty())
      binding.prints_memory = dump_command(globals_.admin_sockets.front(), use.pem.name);
    if (use.doubtful) binding.not_editable = "it depends on a condition that is not known here";
    return binding;
  }

  // If the word names exactly this file, gives the word's position; otherwise only the line.
  static NamedFile named(const Use& use, const Word& word, const std::string& path) {
    NamedFile file{path, span_of(use.place, word), {}};
    if (use.editable_word) {
      file.written = written_at(use.place, word);
    } else {
      file.where.begin = file.where.end = 0;
    }
    return file;
  }

  void bind_client(const ClientUse& client) {
    Binding binding = outline(client.use);
    binding.site = client.site;
    binding.role = Role::client;
    bindings_.push_back(std::move(binding));
  }

  std::vector<Endpoint> places_of(const Listener& listener) {
    std::vector<Endpoint> places;
    for (const BindAddress& address : listener.addresses)
      for (Reach& reach : reach_of(address, listener)) {
        Endpoint endpoint;
        endpoint.address = std::move(reach.address);
        endpoint.listens = address.text;
        endpoint.proxy_protocol = listener.options.accepts_proxy;
        endpoint.unproven = std::move(reach.unproven);
        if (endpoint.unproven.empty()) endpoint.unproven = why_unproven(address, listener);
        places.push_back(std::move(endpoint));
      }
    return places;
  }

  std::vector<Reach> reach_of(const BindAddress& address, const Listener& listener) {
    if (!address.unknown.empty())
      return {{Address{address.host, address.port, ""}, address.unknown}};
    if (address.family == BindAddress::Family::unix_socket) {
      bool is_abstract = address.path.starts_with('@');
      return {{Address{"", 0, is_abstract ? address.path : root_.on_host(address.path)}, ""}};
    }
    if (address.family == BindAddress::Family::other) return resolved(address);
    if (!address.host.empty()) return {{Address{address.host, address.port, ""}, ""}};
    if (address.family == BindAddress::Family::ipv4) return {loopback_.ipv4(address.port)};
    if (!listener.options.both_families) return {loopback_.ipv6(address.port)};
    return {loopback_.ipv6(address.port), loopback_.ipv4(address.port)};
  }

  std::vector<Reach> resolved(const BindAddress& address) {
    std::vector<Reach> reaches;
    for (const std::string& host : hosts_.addresses(to_lower(address.host)))
      reaches.push_back({Address{host, address.port, ""}, ""});
    if (reaches.empty())
      reaches.push_back({Address{address.host, address.port, ""},
                         fmt::format("HAProxy resolved the host name {} when it started; it is not "
                                     "in /etc/hosts",
                                     printable(address.host))});
    return reaches;
  }

  std::string why_unproven(const BindAddress& address, const Listener& listener) const {
    if (address.quic) return "QUIC is not probed";
    if (!listener.not_asked.empty()) return listener.not_asked;
    if (listener.options.needs_other_header) return "it expects NetScaler's header in front of TLS";
    for (const std::string& place : taken_by(address, listener))
      for (const Listener* other : sharing_.at(place))
        if (!answers_alike(*other, listener))
          return "another bind line with other certificates shares this address";
    return "";
  }

  // The sockets that an address binds, whatever its form: "*:443", ":443" and "ipv4@0.0.0.0:443"
  // are equal, and the kernel gives each connection to any of the lines.
  static std::vector<std::string> taken_by(const BindAddress& address, const Listener& listener) {
    using Family = BindAddress::Family;
    if (!address.unknown.empty() || address.family == Family::other) return {address.text};
    if (address.family == Family::unix_socket) return {"unix:" + address.path};
    std::string port = fmt::format("{}{}", address.port, address.quic ? " quic" : "");
    auto at = [&](const char* family) {
      return fmt::format("{} {} {}", family, address.host, port);
    };
    if (address.family == Family::ipv4) return {at("ipv4")};
    if (address.host.empty() && listener.options.both_families) return {at("ipv6"), at("ipv4")};
    return {at("ipv6")};
  }

  static bool answers_alike(const Listener& one, const Listener& other) {
    auto what = [](const Use& use) { return std::tie(use.pem.name, use.filters, use.is_default); };
    return one.options.strict_sni == other.options.strict_sni &&
           one.options.accepts_proxy == other.options.accepts_proxy &&
           std::ranges::equal(one.uses, other.uses, {}, what, what);
  }

  const Globals& globals_;
  const Listeners& listeners_;
  const Looks& looks_;
  const Root& root_;
  HostNames hosts_;
  Loopback loopback_;
  std::unordered_map<std::string, std::vector<const Listener*>> sharing_;
  std::vector<Binding> bindings_;
};

// See Discovery::obeyed. A Lua script runs with the rights of the user who reads the configuration.
std::vector<std::string> obeyed_by(const Config& config, const Root& root) {
  std::vector<std::string> obeyed = config.directories;
  for (const auto& file : config.files) obeyed.push_back(root.on_host(file->path));
  for (const Section& section : config.sections)
    for (const Statement& statement : section.statements)
      if (section.head.word(0) == "global" && statement.word(0).starts_with("lua-load"))
        obeyed.push_back(root.on_host(absolute_in(statement.bases->directory, statement.word(1))));
  return obeyed;
}

}  // namespace

Discovery discover_bindings(Config config, const Started& started, Root& root) {
  Globals globals = read_globals(config, root);
  Listeners listeners = find_listeners(config, globals, started, root);
  Discovery found;
  found.listens = listen_addresses(config);
  found.looked_at = look_at_all(listeners, root.files());
  found.bindings = Binder(globals, listeners, found.looked_at, root).run();
  found.diagnostics = std::move(config.diagnostics);
  for (Diagnostic& diagnostic : listeners.diagnostics)
    found.diagnostics.push_back(std::move(diagnostic));
  found.obeyed = obeyed_by(config, root);
  for (const auto& list : listeners.lists) found.obeyed.push_back(root.on_host(list->path));
  for (const auto& file : config.files) found.configured_by.push_back(file->real);
  for (const auto& list : listeners.lists) found.configured_by.push_back(list->real);
  for (std::vector<std::string>* directories : {&config.directories, &listeners.directories})
    for (std::string& directory : *directories) found.configured_by.push_back(std::move(directory));
  return found;
}

}  // namespace certrebind::haproxy
