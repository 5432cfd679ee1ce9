#include "service/apache/managed.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "service/apache/name_table.h"
#include "service/apache/values.h"

namespace certrebind::apache {

namespace {

constexpr std::string_view kCertificate = "pubcert";
constexpr std::string_view kKey = "privkey";
constexpr const char* kFallback = "fallback-";  // name prefix until the first certificate exists
constexpr size_t kJobLimit = 1u << 20;
constexpr const char* kManaged = "mod_md obtains and renews this certificate itself";

using KeyTypes = std::vector<std::string>;

class Collector {
 public:
  Collector(const Config& config, Root& root) : config_(config), root_(root) {}

  Managed run() {
    if (!config_.has_module("md_module")) return {};
    collect(0, config_.nodes.size(), {""});
    std::string store = root_.on_host(normalized(absolute_in(config_.server_root, store_)));
    for (ManagedDomain& domain : managed_.domains) look_into(store, domain);
    return std::move(managed_);
  }

 private:
  void collect(size_t begin, size_t end, KeyTypes wanted);
  void read(const Node& node);
  void read_domain(size_t index, bool set, const KeyTypes& wanted);
  void look_into(const std::string& store, ManagedDomain& domain);
  std::set<std::string> staged(const std::string& directory) const;
  void report_waiting(const ManagedDomain& domain, const ManagedPair& pair);

  const Config& config_;
  Root& root_;
  std::string store_ = "md";
  Managed managed_;
};

void add_names(const Node& node, ManagedDomain& domain) {
  for (const Word& word : node.arguments())
    if (!same_name(word.value, "auto") && !same_name(word.value, "manual"))
      domain.names.push_back(to_lower(word.value));
}

// The files of every RSA key have the same name, whatever its length; those of other keys have the
// curve's (md_pkey_spec_name). "RSA 2048" is one type in two words.
KeyTypes key_types_in(const Node& node) {
  KeyTypes types;
  for (const Word& word : node.arguments()) {
    const bool number = word.value.find_first_not_of("0123456789") == std::string_view::npos;
    const std::string type = to_lower(word.value);
    if (!number) types.push_back(type == "default" || type.starts_with("rsa") ? "" : "." + type);
  }
  return types;
}

// The last MDPrivateKeys of a level applies to all of it, wherever it is.
KeyTypes key_types_at(const Config& config, size_t begin, size_t end, KeyTypes outer) {
  for (size_t i = begin; i < end; i = config.nodes[i].next)
    if (!config.nodes[i].section && config.nodes[i].is("MDPrivateKeys"))
      outer = key_types_in(config.nodes[i]);
  return outer;
}

// Domains may be defined in a host, too.
void Collector::collect(size_t begin, size_t end, KeyTypes wanted) {
  wanted = key_types_at(config_, begin, end, std::move(wanted));
  for (size_t i = begin; i < end; i = config_.nodes[i].next) {
    const Node& node = config_.nodes[i];
    const bool set = node.section && (node.is("MDomainSet") || node.is("MDomain"));
    if (node.section && node.is("VirtualHost")) collect(i + 1, node.next, wanted);
    if (set || (node.is("MDomain") && !node.section))
      read_domain(i, set, wanted);
    else
      read(node);
  }
}

// Names may be in an MDomain, in the arguments of a <MDomainSet>, or in an MDMember inside it.
void Collector::read_domain(size_t index, bool set, const KeyTypes& wanted) {
  const Node& node = config_.nodes[index];
  if (node.arguments().empty()) return;
  ManagedDomain domain;
  domain.where = {node.file, &node.arguments().front()};
  add_names(node, domain);
  domain.key_types = wanted;
  if (set) {
    domain.key_types = key_types_at(config_, index + 1, node.next, wanted);
    for (size_t i = index + 1; i < node.next; i = config_.nodes[i].next) {
      const Node& inner = config_.nodes[i];
      if (inner.section || inner.arguments().empty()) continue;
      Value value{inner.file, &inner.arguments().front()};
      if (inner.is("MDMember") || inner.is("MDMembers")) add_names(inner, domain);
      if (inner.is("MDCertificateFile")) domain.certificates.push_back(value);
      if (inner.is("MDCertificateKeyFile")) domain.keys.push_back(value);
    }
  }
  if (!domain.names.empty()) managed_.domains.push_back(std::move(domain));
}

void Collector::read(const Node& node) {
  if (node.section || node.arguments().empty()) return;
  std::string_view value = node.arguments().front().value;
  if (node.is("MDStoreDir")) store_ = value;
  if (node.is("MDMatchNames")) managed_.by_aliases = !same_name(value, "servernames");
  if (node.is("MDBaseServer")) managed_.base_server = same_name(value, "on");
}

// The renewed files in a staging directory. Empty until mod_md has finished there.
std::set<std::string> Collector::staged(const std::string& directory) const {
  auto job = root_.files().read(directory + "/job.json", kJobLimit);
  if (!job) return {};
  auto text = nlohmann::json::parse(*job, nullptr, false);
  auto finished = text.is_object() ? text.find("finished") : text.end();
  if (finished == text.end() || *finished != true) return {};
  auto names = root_.files().list(directory);
  if (!names) return {};
  return {names->begin(), names->end()};
}

// "pubcert.pem" belongs to "privkey.pem", "pubcert.secp256r1.pem" to "privkey.secp256r1.pem". A
// renewed file has the same name in the staging directory. mod_md uses only files of the key types
// that it wants.
void Collector::look_into(const std::string& store, ManagedDomain& domain) {
  std::string directory = fmt::format("{}/domains/{}", store, domain.names.front());
  std::string staging = fmt::format("{}/staging/{}", store, domain.names.front());
  auto listed = root_.files().list(directory);
  const std::set<std::string> names =
      listed ? std::set(listed->begin(), listed->end()) : std::set<std::string>();
  const std::set<std::string> waiting = staged(staging);
  auto add = [&](const char* prefix, std::vector<ManagedPair>& pairs) {
    for (const std::string& type : domain.key_types) {
      const std::string own = fmt::format("{}{}.pem", kCertificate, type);
      if (!names.contains(prefix + own)) continue;
      pairs.push_back({.certificate = fmt::format("{}/{}{}", directory, prefix, own),
                       .key = fmt::format("{}/{}{}{}.pem", directory, prefix, kKey, type),
                       .next = waiting.contains(own) ? fmt::format("{}/{}", staging, own) : ""});
    }
  };
  add("", domain.pairs);
  add(kFallback, domain.fallbacks);
  if (!domain.certificates.empty()) return;
  for (const std::string& type : domain.key_types)
    if (std::string own = fmt::format("{}{}.pem", kCertificate, type);
        domain.pairs.empty() && domain.first.empty() && waiting.contains(own))
      domain.first = fmt::format("{}/{}", staging, own);
  for (const ManagedPair& pair : domain.pairs.empty() ? domain.fallbacks : domain.pairs)
    if (!pair.next.empty()) report_waiting(domain, pair);
}

void Collector::report_waiting(const ManagedDomain& domain, const ManagedPair& pair) {
  managed_.diagnostics.push_back(diagnostic_at(
      Severity::warning, *domain.where.file, *domain.where.word,
      fmt::format("mod_md has renewed the certificate of {}, and serves it after the next "
                  "reload: certrebind rebind {} {}",
                  printable(domain.names.front()), shell_quoted(pair.certificate),
                  shell_quoted(pair.certificate))));
}

// "*.x" matches one label (md_dns_matches).
bool matches_domain(const std::string& domain, const std::string& name) {
  if (domain == name) return !name.empty();
  return domain.starts_with("*.") && name.find('.') != std::string::npos &&
         name.substr(name.find('.')) == domain.substr(1);
}

// mod_md compares its names with all of a host's, patterns included, or with the ServerName only
// (link_md_to_servers).
bool is_for(const ManagedDomain& domain, const Managed& managed, const Host& host) {
  return std::ranges::any_of(domain.names, [&](const std::string& wanted) {
    if (matches_domain(wanted, host.name)) return true;
    return managed.by_aliases && std::ranges::any_of(host.names, [&](const ServerName& name) {
             return name.pattern ? matches_pattern(name.text, wanted) : name.text == wanted;
           });
  });
}

// Static pairs are ordinary files: mod_md only reads them.
void add_static(const ManagedDomain& domain, const Binding& outline, const Config& config,
                Root& root, std::vector<Binding>& bindings) {
  for (size_t i = 0; i < std::min(domain.certificates.size(), domain.keys.size()); ++i) {
    Binding& binding = bindings.emplace_back(outline);
    NamedValue certificate = named_value(domain.certificates[i], config.server_root, root);
    NamedValue key = named_value(domain.keys[i], config.server_root, root);
    binding.certificate = std::move(certificate.file);
    binding.key = std::move(key.file);
    binding.not_editable = std::move(certificate.not_editable);
    if (binding.not_editable.empty()) binding.not_editable = std::move(key.not_editable);
  }
}

void add_stored(const ManagedDomain& domain, const std::vector<ManagedPair>& pairs,
                const Binding& outline, std::vector<Binding>& bindings) {
  const Span where = domain.where.span();
  const std::string written(domain.where.text());
  for (const ManagedPair& pair : pairs) {
    Binding& binding = bindings.emplace_back(outline);
    binding.not_editable = kManaged;
    binding.certificate = {pair.certificate, where, written};
    binding.key = {pair.key, where, written};
    binding.next_certificate = pair.next;
  }
}

}  // namespace

Managed read_managed(const Config& config, Root& root) {
  return Collector(config, root).run();
}

std::vector<Binding> managed_bindings(const Managed& managed, const Host& host,
                                      const Binding& outline, const Config& config, Root& root) {
  std::vector<Binding> bindings;
  if (!host.where && !managed.base_server) return bindings;
  const bool needs_one = host.tls.certificates.empty();
  for (const ManagedDomain& domain : managed.domains) {
    if (!is_for(domain, managed, host)) continue;
    if (!domain.certificates.empty()) {
      add_static(domain, outline, config, root, bindings);
    } else if (!domain.pairs.empty() || needs_one) {
      std::vector<ManagedPair> pairs = domain.pairs.empty() ? domain.fallbacks : domain.pairs;
      if (pairs.empty()) pairs.emplace_back();  // httpd has not made its fallback yet
      add_stored(domain, pairs, outline, bindings);
    }
  }
  return bindings;
}

std::string waits_for(const Managed& managed, const Host& host) {
  for (const ManagedDomain& domain : managed.domains)
    if (!domain.first.empty() && (host.where || managed.base_server) &&
        is_for(domain, managed, host))
      return domain.first;
  return "";
}

}  // namespace certrebind::apache
