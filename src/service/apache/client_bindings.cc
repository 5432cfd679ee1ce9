#include "service/apache/client_bindings.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "service/apache/values.h"

namespace certrebind::apache {

namespace {

class ClientBinder {
 public:
  ClientBinder(const Config& config, const Hosts& hosts, Root& root)
      : config_(config), hosts_(hosts), root_(root) {}

  Discovery run() {
    collect(0, config_.nodes.size(), "upstream");
    return std::move(found_);
  }

 private:
  void collect(size_t begin, size_t end, const std::string& site) {
    for (size_t i = begin; i < end; i = config_.nodes[i].next) {
      const Node& node = config_.nodes[i];
      if (node.section) {
        collect(i + 1, node.next, site_of(i, site));
      } else if (node.arguments().size() == 1) {
        Value value{node.file, &node.arguments().front()};
        if (node.is("SSLProxyMachineCertificateFile")) bind_file(value, site);
        if (node.is("SSLProxyMachineCertificatePath")) bind_directory(value, site);
      }
    }
  }

  std::string site_of(size_t section, const std::string& outer) const {
    const Node& node = config_.nodes[section];
    if (node.is("VirtualHost")) {
      // Hosts are ordered by node, after the main server.
      auto host =
          std::lower_bound(hosts_.all.begin() + 1, hosts_.all.end(), section + 1,
                           [](const Host& known, size_t wanted) { return known.begin < wanted; });
      return host == hosts_.all.end() ? outer : host->site();
    }
    std::string site = outer + ' ' + std::string(node.name());
    for (const Word& word : node.arguments()) site += ' ' + std::string(word.value);
    return site;
  }

  void add(NamedFile file, std::string not_editable, const std::string& site) {
    Binding& binding = found_.bindings.emplace_back();
    binding.site = site;
    binding.role = Role::client;
    binding.leaf_alone = true;  // each certificate there needs its key (ssl_init_proxy_certs)
    binding.certificate = file;
    binding.key = std::move(file);
    binding.not_editable = std::move(not_editable);
  }

  void bind_file(const Value& value, const std::string& site) {
    NamedValue named = named_value(value, config_.server_root, root_);
    add(std::move(named.file), std::move(named.not_editable), site);
  }

  // Every file of the directory contains certificates with their keys.
  void bind_directory(const Value& value, const std::string& site) {
    NamedValue named = named_value(value, config_.server_root, root_);
    std::string directory = named.file.path;
    auto names = root_.files().list(directory);
    if (!names) return;
    for (const std::string& name : *names) {
      named.file.path = fmt::format("{}/{}", directory, name);
      auto info = root_.files().stat(named.file.path);
      if (info && info->kind == FileKind::regular)
        add(named.file, "httpd takes every file of the directory", site);
    }
    found_.configured_by.push_back(directory);
    if (auto real = root_.files().real_path(directory))
      found_.read_whole.push_back(std::move(*real));
  }

  const Config& config_;
  const Hosts& hosts_;
  Root& root_;
  Discovery found_;
};

}  // namespace

Discovery client_bindings(const Config& config, const Hosts& hosts, Root& root) {
  return ClientBinder(config, hosts, root).run();
}

}  // namespace certrebind::apache
