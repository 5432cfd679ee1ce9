#include "service/nginx/servers.h"

#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "service/nginx/contexts.h"

namespace certrebind::nginx {

namespace {

// nginx compares flags ignoring case (ngx_conf_set_flag_slot).
bool is_on(const Value& value) {
  return to_lower(value.text()) == "on";
}

void read_tls(std::string_view name, const Value& value, TlsSettings& tls) {
  if (name == "ssl_certificate") {
    tls.certificates.push_back(value);
  } else if (name == "ssl_certificate_key") {
    tls.keys.push_back(value);
  } else if (name == "ssl_password_file") {
    tls.has_passphrase = true;
  } else if (name == "ssl_stapling") {
    tls.stapling = is_on(value);
  } else if (name == "ssl_ciphers") {
    tls.ciphers = std::string(value.text());
  } else if (name == "ssl") {
    tls.old_ssl = is_on(value);
  } else if (name == "ssl_reject_handshake") {
    tls.rejects = is_on(value);
  }
}

void inherit(TlsSettings& tls, const TlsSettings& outer) {
  if (tls.certificates.empty()) tls.certificates = outer.certificates;
  if (tls.keys.empty()) tls.keys = outer.keys;
  if (!tls.stapling) tls.stapling = outer.stapling;
  if (!tls.ciphers) tls.ciphers = outer.ciphers;
  if (!tls.only_newest) tls.only_newest = outer.only_newest;
  if (!tls.old_ssl) tls.old_ssl = outer.old_ssl;
  if (!tls.rejects) tls.rejects = outer.rejects;
  tls.has_passphrase = tls.has_passphrase || outer.has_passphrase;
  tls.chosen_by_lua = tls.chosen_by_lua || outer.chosen_by_lua;
}

class ServerReader {
 public:
  ServerReader(const Config& config, HostNames& hosts) : config_(config), listens_(hosts) {}

  Servers read() {
    for (size_t i = 0; i < config_.nodes.size(); i = config_.nodes[i].next) {
      Context context = enter(Context::main, config_.nodes[i].name());
      if (!config_.nodes[i].at().block) continue;
      if (context == Context::http || context == Context::stream) read_level(i, context);
    }
    return std::move(servers_);
  }

 private:
  // Reads an http or stream block. Its settings apply to the whole block, so servers inherit at its
  // end (ngx_http_merge_servers).
  void read_level(size_t block, Context context) {
    size_t first_server = servers_.all.size();
    TlsSettings level;
    for (size_t i = block + 1; i < config_.nodes[block].next; i = config_.nodes[i].next) {
      const Node& node = config_.nodes[i];
      if (node.at().block && node.name() == "server") {
        read_server(i, context == Context::stream);
      } else {
        read_setting(node, level);
      }
    }
    for (size_t i = first_server; i < servers_.all.size(); ++i) inherit(servers_.all[i].tls, level);
    servers_.shared.insert(servers_.shared.end(), level.certificates.begin(),
                           level.certificates.end());
  }

  void read_server(size_t block, bool stream) {
    Server& server = servers_.all.emplace_back();
    const Node& node = config_.nodes[block];
    server.node = static_cast<uint32_t>(block);
    server.stream = stream;
    server.where = {node.file, &node.name_word()};
    for (size_t i = block + 1; i < node.next; i = config_.nodes[i].next)
      read_directive(config_.nodes[i], server);
    server.own_certificates = server.has_certificates();
    if (server.listens.empty() && !stream) server.listens.push_back(default_listen());
  }

  void read_directive(const Node& node, Server& server) {
    std::string_view name = node.name();
    if (name == "listen") {
      read_listen(node, server);
    } else if (name == "server_name") {
      read_names(node, server);
    } else {
      read_setting(node, server.tls);
    }
  }

  static void read_setting(const Node& node, TlsSettings& tls) {
    std::string_view name = node.name();
    if (!name.starts_with("ssl")) return;
    if (name.starts_with("ssl_certificate_by_lua")) {
      tls.chosen_by_lua = true;
    } else if (name == "ssl_protocols") {
      tls.only_newest = std::ranges::all_of(
          node.arguments(), [](const Word& word) { return word.value == "TLSv1.3"; });
    } else if (node.arguments().size() == 1) {
      read_tls(name, {node.file, &node.arguments().front()}, tls);
    }
  }

  void read_listen(const Node& node, Server& server) {
    ListenAddresses found = listens_.parse(node.arguments(), server.stream);
    if (!found.problem.empty()) {
      std::string address =
          node.arguments().empty() ? "" : printable(node.arguments().front().value);
      servers_.diagnostics.push_back(
          diagnostic_at(Severity::error, *node.file, node.name_word(),
                        fmt::format("{} in `listen {}`", found.problem, address)));
      return;
    }
    for (Listen& listen : found.addresses) server.listens.push_back(std::move(listen));
  }

  static void read_names(const Node& node, Server& server) {
    for (const Word& word : node.arguments()) {
      bool regex = word.value.starts_with('~');
      server.names.push_back(
          {regex ? std::string(word.value) : to_lower(word.value), {node.file, &word}, regex});
    }
  }

  const Config& config_;
  ListenParser listens_;
  Servers servers_;
};

}  // namespace

std::string Server::site() const {
  for (const ServerName& name : names)
    if (!name.regex && !name.text.empty() && name.text != "_") return name.text;
  return listens.empty() ? "a server without a listener" : listens.front().text;
}

Servers read_servers(const Config& config, HostNames& hosts) {
  return ServerReader(config, hosts).read();
}

std::vector<ListenAddress> listen_addresses(const Servers& servers) {
  std::set<std::pair<std::string, bool>> known;
  std::vector<ListenAddress> found;
  auto add = [&](const Server& server, const Listen& listen, const char* wildcard) {
    found.push_back({.address = {listen.host.empty() ? wildcard : listen.host, listen.port, ""},
                     .where = server.where.span().text(),
                     .shared = listen.reuseport});
  };
  for (const Server& server : servers.all)
    for (const Listen& listen : server.listens) {
      bool ipv6 = listen.family == Family::ipv6;
      if (listen.udp || (listen.family != Family::ipv4 && !ipv6)) continue;
      if (!known.emplace(listen.text, listen.reuseport).second) continue;
      add(server, listen, ipv6 ? "::" : "0.0.0.0");
      if (ipv6 && listen.wildcard() && !listen.ipv6only) add(server, listen, "0.0.0.0");
    }
  return found;
}

}  // namespace certrebind::nginx
