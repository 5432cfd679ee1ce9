#include "service/apache/managed.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"

namespace certrebind::apache {

namespace {

constexpr std::string_view kCertificate = "pubcert";
constexpr std::string_view kKey = "privkey";
constexpr std::string_view kFallback =
    "fallback-";  // name prefix until the first certificate exists
constexpr size_t kJobLimit = 1u << 20;
constexpr const char* kManaged = "mod_md obtains and renews this certificate itself";

class Collector {
 public:
  Collector(const Config& config, Root& root) : config_(config), root_(root) {}

  Managed run() {
    if (!config_.has_module("md_module")) return {};
    collect(0, config_.nodes.size());
    std::string store = root_.on_host(normalized(absolute_in(config_.server_root, store_)));
    for (ManagedDomain& domain : managed_.domains) look_into(store, domain);
    return std::move(managed_);
  }

 private:
  void collect(size_t begin, size_t end);
  void read(const Node& node, ManagedDomain* domain);
  void look_into(const std::string& store, ManagedDomain& domain);
  std::set<std::string> staged(const std::string& directory) const;

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

// Names may be in an MDomain before a <MDomainSet>, in the section's arguments, or in an MDMember
// inside it.
void Collector::collect(size_t begin, size_t end) {
  for (size_t i = begin; i < end; i = config_.nodes[i].next) {
    const Node& node = config_.nodes[i];
    bool set = node.section && (node.is("MDomainSet") || node.is("MDomain"));
    if (node.section && node.is("VirtualHost")) collect(i + 1, node.next);
    if (!set && !(node.is("MDomain") && !node.section)) {
      read(node, nullptr);
      continue;
    }
    if (node.arguments().empty()) continue;
    ManagedDomain domain;
    domain.where = {node.file, &node.arguments().front()};
    add_names(node, domain);
    if (set)
      for (size_t inner = i + 1; inner < node.next; inner = config_.nodes[inner].next)
        read(config_.nodes[inner], &domain);
    if (!domain.names.empty()) managed_.domains.push_back(std::move(domain));
  }
}

void Collector::read(const Node& node, ManagedDomain* domain) {
  if (node.section || node.arguments().empty()) return;
  Value value{node.file, &node.arguments().front()};
  if (node.is("MDStoreDir")) store_ = value.text();
  if (domain == nullptr) return;
  if (node.is("MDMember") || node.is("MDMembers")) add_names(node, *domain);
  if (node.is("MDCertificateFile")) domain->certificate = value;
  if (node.is("MDCertificateKeyFile")) domain->key = value;
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
// renewed file has the same name in the staging directory.
void Collector::look_into(const std::string& store, ManagedDomain& domain) {
  std::string directory = fmt::format("{}/domains/{}", store, domain.names.front());
  std::string staging = fmt::format("{}/staging/{}", store, domain.names.front());
  std::set<std::string> waiting = staged(staging);
  auto names = root_.files().list(directory);
  if (!names) return;
  bool issued = std::ranges::any_of(
      *names, [](const std::string& name) { return name.starts_with(kCertificate); });
  std::string prefix(issued ? "" : kFallback);
  for (const std::string& name : *names) {
    if (!name.starts_with(prefix + std::string(kCertificate)) || !name.ends_with(".pem")) continue;
    std::string own = name.substr(prefix.size());
    domain.pairs.push_back(
        {.certificate = fmt::format("{}/{}", directory, name),
         .key = fmt::format("{}/{}{}{}", directory, prefix, kKey, own.substr(kCertificate.size())),
         .next = waiting.contains(own) ? fmt::format("{}/{}", staging, own) : ""});
    const ManagedPair& pair = domain.pairs.back();
    if (!pair.next.empty())
      managed_.diagnostics.push_back(diagnostic_at(
          Severity::warning, *domain.where.file, *domain.where.word,
          fmt::format("mod_md has renewed the certificate of {}, and serves it after the next "
                      "reload: certrebind rebind {} {}",
                      printable(domain.names.front()), pair.certificate, pair.certificate)));
  }
}

bool shares_a_name(const ManagedDomain& domain, const Host& host) {
  return std::ranges::any_of(host.names, [&](const ServerName& name) {
    return std::ranges::find(domain.names, name.text) != domain.names.end();
  });
}

}  // namespace

Managed read_managed(const Config& config, Root& root) {
  return Collector(config, root).run();
}

std::vector<Binding> managed_bindings(const Managed& managed, const Host& host,
                                      const Binding& outline) {
  std::vector<Binding> bindings;
  for (const ManagedDomain& domain : managed.domains) {
    if (!shares_a_name(domain, host)) continue;
    Binding binding = outline;
    binding.not_editable = kManaged;
    Span where = domain.where.span();
    std::string written(domain.where.text());
    for (const ManagedPair& pair : domain.pairs) {
      binding.certificate = {pair.certificate, where, written};
      binding.key = {pair.key, where, written};
      binding.next_certificate = pair.next;
      bindings.push_back(binding);
    }
    if (!domain.pairs.empty()) continue;
    binding.certificate = binding.key = {"", where, written};
    bindings.push_back(binding);
  }
  return bindings;
}

}  // namespace certrebind::apache
