#include "service/nginx/client_bindings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "service/nginx/contexts.h"

namespace certrebind::nginx {

namespace {

// Stream servers support only the first.
constexpr std::array<std::string_view, 3> kProtocols = {"proxy", "grpc", "uwsgi"};

struct Pair {
  Value certificate;
  Value key;
  bool has_passphrase = false;  // *_ssl_password_file
  bool set_here = false;
};
using Pairs = std::array<Pair, kProtocols.size()>;

// Records a directive if it is one of these.
void read_setting(const Node& node, size_t protocols, Pairs& pairs) {
  std::string_view name = node.name();
  if (name.find("_ssl_") == std::string_view::npos || node.arguments().size() != 1) return;
  Value value{node.file, &node.arguments().front()};
  for (size_t i = 0; i < protocols; ++i) {
    if (!name.starts_with(kProtocols[i])) continue;
    std::string_view what = name.substr(kProtocols[i].size());
    if (what == "_ssl_password_file") pairs[i].has_passphrase = true;
    bool key = what == "_ssl_certificate_key";
    if (!key && what != "_ssl_certificate") continue;
    (key ? pairs[i].key : pairs[i].certificate) = value;
    pairs[i].set_here = true;
  }
}

bool takes_settings(Context context) {
  return context == Context::http || context == Context::http_server ||
         context == Context::location || context == Context::stream ||
         context == Context::stream_server;
}

class ClientBinder {
 public:
  ClientBinder(const Config& config, const std::vector<Server>& servers, const Root& root)
      : config_(config), servers_(servers), root_(root) {}

  Discovery run() {
    if (!has_settings()) return {};  // true for most configurations
    walk_children(0, config_.nodes.size(), Context::main, {}, "");
    return std::move(found_);
  }

 private:
  bool has_settings() const {
    return std::any_of(config_.nodes.begin(), config_.nodes.end(), [](const Node& node) {
      return node.name().find("_ssl_certificate") != std::string_view::npos;
    });
  }

  // A block whose content is [begin, end). Its settings apply to the whole block, wherever they are
  // in it.
  void walk(size_t begin, size_t end, Context context, Pairs pairs, const std::string& site) {
    for (Pair& pair : pairs) pair.set_here = false;
    bool stream = context == Context::stream || context == Context::stream_server;
    for (size_t i = begin; i < end; i = config_.nodes[i].next)
      read_setting(config_.nodes[i], stream ? 1 : kProtocols.size(), pairs);
    for (size_t i = 0; i < pairs.size(); ++i) bind(pairs[i], kProtocols[i], site);
    walk_children(begin, end, context, pairs, site);
  }

  void walk_children(size_t begin, size_t end, Context context, const Pairs& pairs,
                     const std::string& site) {
    for (size_t i = begin; i < end; i = config_.nodes[i].next) {
      const Node& node = config_.nodes[i];
      if (!node.at().block || node.next == i + 1) continue;
      Context inner = enter(context, node.name());
      if (takes_settings(inner)) walk(i + 1, node.next, inner, pairs, site_of(i, inner, site));
    }
  }

  std::string site_of(size_t index, Context context, const std::string& outer) const {
    const Node& node = config_.nodes[index];
    if (context == Context::http || context == Context::stream) return std::string(node.name());
    if (context != Context::location) return server_site(static_cast<uint32_t>(index));
    std::string site = outer + " location";
    for (const Word& word : node.arguments()) site += ' ' + std::string(word.value);
    return site;
  }

  // Servers are ordered by node.
  std::string server_site(uint32_t node) const {
    auto server =
        std::lower_bound(servers_.begin(), servers_.end(), node,
                         [](const Server& s, uint32_t wanted) { return s.node < wanted; });
    return server != servers_.end() && server->node == node ? server->site() : "server";
  }

  void bind(const Pair& pair, std::string_view protocol, const std::string& site) {
    if (!pair.set_here || !pair.certificate || pair.certificate.text().empty()) return;
    if (!pair.key || pair.key.text().empty()) return report_keyless(pair, protocol);
    NamedValue certificate = named_value(pair.certificate, config_.directory, root_);
    NamedValue key = named_value(pair.key, config_.directory, root_);
    Binding& binding = found_.bindings.emplace_back();
    binding.site = site;
    binding.role = Role::client;
    binding.certificate = std::move(certificate.file);
    binding.key = std::move(key.file);
    binding.has_passphrase = pair.has_passphrase;
    binding.not_editable = certificate.not_editable.empty() ? std::move(key.not_editable)
                                                            : std::move(certificate.not_editable);
  }

  void report_keyless(const Pair& pair, std::string_view protocol) {
    found_.diagnostics.push_back(
        diagnostic_at(Severity::note, *pair.certificate.file, *pair.certificate.word,
                      fmt::format("no {}_ssl_certificate_key at this level; only levels below that "
                                  "set one use this certificate",
                                  protocol)));
  }

  const Config& config_;
  const std::vector<Server>& servers_;
  const Root& root_;
  Discovery found_;
};

}  // namespace

Discovery client_bindings(const Config& config, const std::vector<Server>& servers,
                          const Root& root) {
  return ClientBinder(config, servers, root).run();
}

}  // namespace certrebind::nginx
