#include "service/apache/hosts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ranges>
#include <set>

#include "base/text.h"

namespace certrebind::apache {

namespace {

std::optional<bool> on_or_off(std::string_view text) {
  if (same_name(text, "on")) return true;
  if (same_name(text, "off")) return false;
  return std::nullopt;
}

// ServerName may contain a scheme and a port: "https://www.example.com:443".
std::string bare_name(std::string_view text) {
  if (size_t scheme = text.find("://"); scheme != std::string_view::npos)
    text.remove_prefix(scheme + 3);
  if (size_t colon = text.rfind(':'); colon != std::string_view::npos && !text.ends_with(']'))
    text = text.substr(0, colon);
  return to_lower(text);
}

// The port in a ServerName; 0 if it has none.
uint16_t port_in(std::string_view text) {
  if (size_t scheme = text.find("://"); scheme != std::string_view::npos)
    text.remove_prefix(scheme + 3);
  uint16_t port = 0;
  if (size_t colon = text.rfind(':'); colon != std::string_view::npos)
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  return port;
}

// True if a listener is on an address of a host. httpd compares them so to determine the host's
// protocol (ap_setup_listeners). A host for "*" is for 0.0.0.0 and for [::]. A listener on all
// addresses is on [::], which accepts IPv4 too.
bool is_at(const Socket& listener, const Socket& address) {
  if (listener.port != address.port || listener.host != address.host) return false;
  if (!listener.wildcard()) return listener.family == address.family;
  Family family = listener.family == Family::any ? Family::ipv6 : listener.family;
  return address.family == Family::any || address.family == family;
}

// The directives and sections of core.c that are allowed in a virtual host. A host without any of
// them shares the main server's core settings, including its protocol.
constexpr std::string_view kOfCore[] = {"AcceptPathInfo",
                                        "AccessFileName",
                                        "AddDefaultCharset",
                                        "AllowEncodedSlashes",
                                        "AllowOverride",
                                        "AllowOverrideList",
                                        "CGIPassAuth",
                                        "CGIVar",
                                        "ContentDigest",
                                        "Directory",
                                        "DirectoryMatch",
                                        "DocumentRoot",
                                        "EnableMMAP",
                                        "EnableSendfile",
                                        "ErrorDocument",
                                        "ErrorLog",
                                        "ErrorLogFormat",
                                        "FileETag",
                                        "Files",
                                        "FilesMatch",
                                        "FlushMaxPipelined",
                                        "FlushMaxThreshold",
                                        "ForceType",
                                        "HostnameLookups",
                                        "HttpProtocolOptions",
                                        "If",
                                        "LimitInternalRecursion",
                                        "LimitRequestBody",
                                        "LimitRequestFields",
                                        "LimitRequestFieldsize",
                                        "LimitRequestLine",
                                        "LimitXMLRequestBody",
                                        "Location",
                                        "LocationMatch",
                                        "LogLevel",
                                        "MaxRangeOverlaps",
                                        "MaxRangeReversals",
                                        "MaxRanges",
                                        "MergeSlashes",
                                        "MergeTrailers",
                                        "Options",
                                        "Protocol",
                                        "Protocols",
                                        "ProtocolsHonorOrder",
                                        "QualifyRedirectURL",
                                        "ReadBufferSize",
                                        "RLimitCPU",
                                        "RLimitMEM",
                                        "RLimitNPROC",
                                        "ServerAdmin",
                                        "ServerAlias",
                                        "ServerName",
                                        "ServerPath",
                                        "ServerSignature",
                                        "SetHandler",
                                        "SetInputFilter",
                                        "SetOutputFilter",
                                        "StrictHostCheck",
                                        "Timeout",
                                        "TraceEnable",
                                        "UseCanonicalName",
                                        "UseCanonicalPhysicalPort"};

void read_tls(std::string_view name, const Value& value, TlsSettings& tls) {
  if (same_name(name, "SSLCertificateFile")) {
    tls.certificates.push_back(value);
  } else if (same_name(name, "SSLCertificateKeyFile")) {
    tls.keys.push_back(value);
  } else if (same_name(name, "SSLCertificateChainFile")) {
    tls.chain = value;
  } else if (same_name(name, "SSLEngine")) {
    tls.engine =
        on_or_off(value.text()).value_or(false);  // `optional` never used TLS from the start
  } else if (same_name(name, "SSLUseStapling")) {
    tls.stapling = on_or_off(value.text());
  } else if (same_name(name, "SSLCipherSuite")) {
    tls.ciphers = std::string(value.text());
  }
}

// `SSLCipherSuite [SSL|TLSv1.3] LIST`. Of `SSLProtocol` only one fact matters here: whether TLS 1.3
// alone is left, whose suites support every key type.
void read_protocols(const Node& node, TlsSettings& tls) {
  const auto arguments = node.arguments();
  if (same_name(node.name(), "SSLCipherSuite") && arguments.size() == 2 &&
      same_name(arguments.front().value, "SSL"))
    tls.ciphers = arguments.back().value;
  if (same_name(node.name(), "SSLProtocol"))
    tls.only_newest = std::ranges::all_of(arguments, [](const Word& word) {
      return same_name(word.value, "TLSv1.3") || same_name(word.value, "+TLSv1.3") ||
             same_name(word.value, "-all");
    });
}

// Each value of a virtual host replaces the main server's at the same position. Further values of
// the main server stay (modssl_ctx_cfg_merge_certkeys_array).
void inherit(std::vector<Value>& own, const std::vector<Value>& outer) {
  if (own.size() < outer.size())
    own.insert(own.end(), outer.begin() + static_cast<ptrdiff_t>(own.size()), outer.end());
}

void inherit(TlsSettings& tls, const TlsSettings& outer) {
  inherit(tls.certificates, outer.certificates);
  inherit(tls.keys, outer.keys);
  if (!tls.chain) tls.chain = outer.chain;
  if (!tls.engine) tls.engine = outer.engine;
  if (!tls.stapling) tls.stapling = outer.stapling;
  if (!tls.ciphers) tls.ciphers = outer.ciphers;
  if (!tls.only_newest) tls.only_newest = outer.only_newest;
}

bool is_host(const Node& node) {
  return node.section && node.is("VirtualHost");
}

class HostReader {
 public:
  HostReader(const Config& config, HostNames& names) : config_(config), names_(names) {}

  Hosts read() {
    Host main;
    main.end = static_cast<uint32_t>(config_.nodes.size());
    for (uint32_t i = 0; i < main.end; i = config_.nodes[i].next) read_node(config_.nodes[i], main);
    main.own_certificates = !main.tls.certificates.empty();
    hosts_.all.reserve(1 + static_cast<size_t>(std::ranges::count_if(config_.nodes, is_host)));
    hosts_.all.push_back(std::move(main));
    for (uint32_t i = 0; i < config_.nodes.size(); i = config_.nodes[i].next)
      if (is_host(config_.nodes[i])) read_host(i);
    for (Host& host : hosts_.all) decide_tls(host);
    settle_listeners();
    return std::move(hosts_);
  }

 private:
  // Without SSLEngine, a host that names a certificate uses TLS if its protocol is https
  // (ssl_init_Module). Listeners may be anywhere in the configuration, so this step is last.
  void decide_tls(Host& host) const {
    if (host.tls.engine || host.tls.certificates.empty()) return;
    host.tls.engine = protocol_of(host) == "https";
  }

  std::string protocol_of(const Host& host) const {
    if (!host.protocol.empty()) return host.protocol;
    if (!hosts_.all.front().protocol.empty()) return hosts_.all.front().protocol;
    if (!has_core_settings(host)) return "http";
    for (const Socket& address : host.addresses)
      for (const Listener& listener : hosts_.listeners | std::views::reverse)
        if (is_at(listener.at, address)) return listener.protocol;
    return "http";
  }

  bool has_core_settings(const Host& host) const {
    for (uint32_t i = host.begin; i < host.end; i = config_.nodes[i].next)
      if (std::ranges::any_of(kOfCore, [&](auto name) { return config_.nodes[i].is(name); }))
        return true;
    return false;
  }

  // If its port has another IPv6 listener, a listener without an address accepts IPv4 only, and an
  // earlier one on [::] is closed again.
  void settle_listeners() {
    std::vector<Listener>& all = hosts_.listeners;
    auto has_ipv6 = [&](uint16_t port) {
      return std::ranges::any_of(all, [&](const Listener& each) {
        return each.at.family == Family::ipv6 && each.at.port == port;
      });
    };
    std::set<uint16_t> shared;
    for (Listener& each : all) {
      if (each.at.family != Family::any || !has_ipv6(each.at.port)) continue;
      each.at.family = Family::ipv4;
      shared.insert(each.at.port);
    }
    std::erase_if(all, [&](const Listener& each) {
      return each.at.family == Family::ipv6 && each.at.wildcard() && shared.contains(each.at.port);
    });
  }

  // An address without a port gets the port of the main server's ServerName, as set before this
  // section.
  uint16_t port_before(uint32_t section) const {
    uint16_t port = 0;
    for (uint32_t i = 0; i < section; i = config_.nodes[i].next) {
      const Node& node = config_.nodes[i];
      if (!node.section && node.is("ServerName") && !node.arguments().empty())
        port = port_in(node.arguments().front().value);
    }
    return port;
  }

  void read_host(uint32_t section) {
    const Node& node = config_.nodes[section];
    Host host;
    host.where = {node.file, &node.words.front()};
    host.begin = section + 1;
    host.end = node.next;
    for (const Word& word : node.arguments()) read_address(*node.file, word, section, host);
    for (uint32_t i = host.begin; i < host.end; i = config_.nodes[i].next)
      read_node(config_.nodes[i], host);
    const Host& main = hosts_.all.front();
    host.own_certificates = !host.tls.certificates.empty();
    inherit(host.tls, main.tls);
    inherit_name(host, main);
    if (!host.proxy_protocol) host.proxy_protocol = main.proxy_protocol;
    hosts_.all.push_back(std::move(host));
  }

  // A host on specific addresses is named by a reverse lookup, whose result is unknown here.
  static void inherit_name(Host& host, const Host& main) {
    if (!host.name.empty() || main.name.empty() ||
        std::ranges::none_of(host.addresses, &Socket::wildcard))
      return;
    host.name = main.name;
    host.names.insert(host.names.begin(), {main.name, main.names.front().where, false, true});
  }

  // The last ServerName counts.
  static void set_name(Host& host, const Value& value) {
    if (!host.own_name.empty()) host.names.erase(host.names.begin());
    host.name = host.own_name = bare_name(value.text());
    if (!host.name.empty()) host.names.insert(host.names.begin(), {host.name, value});
  }

  void read_address(const ConfigFile& file, const Word& word, uint32_t section, Host& host) {
    bool has_port = word.value.ends_with('*') || word.value.find(':') != std::string_view::npos;
    uint16_t port = has_port && !word.value.ends_with(']') ? 0 : port_before(section);
    Addresses found = parse_host_address(word.value, port, names_);
    if (!found.problem.empty())
      return report(file, word,
                    fmt::format("{} in <VirtualHost {}>", found.problem, printable(word.value)));
    host.addresses.insert(host.addresses.end(), found.all.begin(), found.all.end());
  }

  void read_node(const Node& node, Host& host) {
    if (node.section) return;
    std::string_view name = node.name();
    if (node.arguments().empty()) {
      if (same_name(name, "Listen"))
        report(*node.file, node.words.front(), "Listen without a port");
      return;
    }
    Value value{node.file, &node.arguments().front()};
    if (name.size() > 3 && same_name(name.substr(0, 3), "SSL")) {
      read_protocols(node, host.tls);
      if (node.arguments().size() == 1) read_tls(name, value, host.tls);
    } else if (same_name(name, "ServerName")) {
      set_name(host, value);
    } else if (same_name(name, "ServerAlias")) {
      for (const Word& word : node.arguments())
        host.names.push_back({to_lower(word.value),
                              {node.file, &word},
                              word.value.find_first_of("*?") != std::string_view::npos});
    } else if (same_name(name, "Listen") && !host.where) {
      read_listen(node);
    } else if (same_name(name, "RemoteIPProxyProtocol")) {
      host.proxy_protocol = on_or_off(value.text());
    } else if (same_name(name, "Protocol")) {
      host.protocol = to_lower(value.text());
    }
  }

  void read_listen(const Node& node) {
    const ConfigFile& file = *node.file;
    const Word& word = node.arguments().front();
    std::string protocol =
        node.arguments().size() > 1 ? to_lower(node.arguments()[1].value) : std::string();
    Addresses found = parse_listen(word.value, names_);
    if (!found.problem.empty())
      return report(file, word,
                    fmt::format("{} in `Listen {}`", found.problem, printable(word.value)));
    for (Socket& socket : found.all) {
      if (std::ranges::find(hosts_.listeners, socket, &Listener::at) != hosts_.listeners.end())
        continue;
      std::string by_port = socket.port == 443 ? "https" : "http";
      hosts_.listeners.push_back(
          {std::move(socket), {&file, &word}, protocol.empty() ? by_port : protocol});
    }
  }

  void report(const ConfigFile& file, const Word& where, std::string message) {
    hosts_.diagnostics.push_back(diagnostic_at(Severity::error, file, where, std::move(message)));
  }

  const Config& config_;
  HostNames& names_;
  Hosts hosts_;
};

}  // namespace

std::string Host::site() const {
  if (!own_name.empty()) return own_name;
  for (const ServerName& known : names)
    if (!known.pattern && !known.inherited) return known.text;
  if (!name.empty()) return name;
  if (!where) return "the main server";
  return addresses.empty() ? "a virtual host without an address" : addresses.front().text();
}

Hosts read_hosts(const Config& config, HostNames& names) {
  return HostReader(config, names).read();
}

// "443" and "[::]:443" are one IPv6 socket that also accepts IPv4 (AP_ENABLE_V4_MAPPED).
std::vector<ListenAddress> listen_addresses(const Hosts& hosts) {
  std::vector<ListenAddress> found;
  for (const Listener& listener : hosts.listeners) {
    const Socket& at = listener.at;
    if (at.family == Family::unresolved) continue;
    std::vector<std::string> addresses = {at.host};
    if (at.wildcard() && at.family == Family::ipv4) addresses = {"0.0.0.0"};
    if (at.wildcard() && at.family != Family::ipv4) addresses = {"::", "0.0.0.0"};
    for (std::string& address : addresses)
      found.push_back(
          {.address = {std::move(address), at.port, ""}, .where = listener.where.span().text()});
  }
  return found;
}

}  // namespace certrebind::apache
