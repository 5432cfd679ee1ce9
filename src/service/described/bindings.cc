#include "service/described/bindings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/append.h"
#include "base/start_tls.h"
#include "base/text.h"
#include "service/described/addresses.h"
#include "service/described/key_list.h"
#include "service/described/template.h"
#include "service/glob.h"
#include "service/loopback.h"
#include "service/sni_name.h"
#include "x509/bundle.h"
#include "x509/name_match.h"
#include "x509/pem.h"
#include "x509/pkcs12.h"

namespace certrebind::described {

namespace {

// A listener as configured.
struct Heard {
  size_t section = 0;
  const Listener* listener = nullptr;
  ListenText listen;
  StartTls start_tls = StartTls::none;
  bool proxy_protocol = false;
  std::string unproven;
  std::vector<size_t> scopes = {};  // sections whose settings come first here
};

// A certificate that some section names.
struct Named {
  const CertificateSettings* settings = nullptr;
  size_t section = 0;  // where the certificate is named
  NamedPath certificate;
  NamedPath key;
  std::optional<NamedPath> chain;  // in the same list
  std::vector<std::string> names;
  std::vector<std::string> hosts;  // only these of the certificate's names count
  const Setting* where = nullptr;
  const Setting* key_where = nullptr;
  std::vector<const Heard*> heard;
};

// A list may name its separator first: "<; a ; b". Where there is only one, two of them are the
// character itself (both in Exim's lists).
std::vector<std::string> words_of_list(std::string value, std::string separators) {
  if (value.size() > 1 && value.front() == '<' &&
      std::ispunct(static_cast<unsigned char>(value[1]))) {
    separators = value[1];
    value = value.substr(2);
  }
  std::vector<std::string> words;
  std::string word;
  auto complete = [&] {
    if (auto plain = trim(word); !plain.empty()) words.emplace_back(plain);
    word.clear();
  };
  for (size_t i = 0; i < value.size(); ++i) {
    const bool is_double =
        separators.size() == 1 && i + 1 < value.size() && value[i + 1] == separators.front();
    if (separators.find(value[i]) == separators.npos)
      word += value[i];
    else if (is_double)
      word += value[i++];
    else
      complete();
  }
  complete();
  return words;
}

constexpr const char* kPortSeparators = " \t,:;";

class Binder {
 public:
  Binder(const Description& description, SettingsTree tree,
         const std::map<std::string, std::string>& fixed, Root& root)
      : description_(description),
        tree_(std::move(tree)),
        fixed_(fixed),
        template_(tree_, fixed),
        root_(root),
        hosts_(root) {}

  Discovery run() {
    for (const Listener& listener : description_.listeners)
      for (size_t section : sections_of(listener.place)) hear(listener, section);
    for (const Scope& scope : description_.scopes)
      for (size_t section : sections_of(scope.place)) apply(scope, section);
    for (const CertificateSettings& settings : description_.certificates) find(settings);
    for (Named& named : named_) bind(named);
    for (const NotFollowed& part : description_.not_followed)
      for (size_t section : sections_of(part.place)) complain(first_of(section), part.why);
    append(found_.diagnostics, std::move(tree_.diagnostics));
    for (const std::string& file : tree_.files)
      if (auto real = root_.files().real_path(file)) found_.configured_by.push_back(*real);
    append(found_.configured_by, tree_.directories);
    found_.obeyed = tree_.files;
    return std::move(found_);
  }

 private:
  std::vector<size_t> sections_of(const Place& place) const {
    std::vector<size_t> found;
    for (size_t i = 0; i < tree_.sections.size(); ++i) {
      const bool fits =
          place.section.empty() ? i == 0 : fits_section(place.section, tree_.sections[i]);
      if (fits && holds(place, i)) found.push_back(i);
    }
    return found;
  }

  bool holds(const Place& place, size_t section) const {
    return std::ranges::all_of(place.when, [&](const std::string& condition) {
      return template_.holds(condition, section);
    });
  }

  const Setting* first_of(size_t section) const {
    const auto& settings = tree_.sections[section].settings;
    return settings.empty() ? nullptr : &settings.front();
  }

  void complain(const Setting* at, std::string message) {
    const Span where = at ? at->where : Span{.file = fixed_.at("host configuration")};
    found_.diagnostics.push_back(
        {Severity::warning, where.file, where.line, where.column, std::move(message)});
  }

  void hear(const Listener& listener, size_t section) {
    std::vector<std::string> ports =
        words_of_list(template_.expand(listener.port, section), kPortSeparators);
    if (ports.empty()) ports = {""};  // each address has its own
    for (const std::string& port : ports) hear(listener, section, port);
  }

  bool is_direct(const Listener& listener, size_t section, const std::string& port) const {
    if (!listener.direct_when.empty() && template_.holds(listener.direct_when, section))
      return true;
    return std::ranges::any_of(
        words_of_list(template_.expand(listener.direct_ports, section), kPortSeparators),
        [&](const std::string& direct) { return port_number(direct) == port_number(port); });
  }

  void hear(const Listener& listener, size_t section, const std::string& port) {
    Heard heard{
        .section = section, .listener = &listener, .listen = {}, .unproven = listener.unproven};
    heard.proxy_protocol =
        !listener.proxy_when.empty() && template_.holds(listener.proxy_when, section);
    const bool direct = is_direct(listener, section, port);
    const std::string dialect = direct ? "" : template_.expand(listener.start_tls, section);
    if (!dialect.empty()) {
      auto known = start_tls_named(dialect);
      if (known)
        heard.start_tls = *known;
      else
        heard.unproven = "certrebind does not speak '" + printable(dialect) + "' before TLS";
    }
    std::string addresses = template_.expand(listener.address, section);
    if (!listener.separator.empty())
      addresses = join(words_of_list(addresses, listener.separator), " ");
    for (ListenText& listen : parse_addresses(addresses, port, hosts_)) {
      if (!listen.problem.empty()) complain(nullptr, listen.text + ": " + listen.problem);
      heard.listen = std::move(listen);
      heard_.push_back(heard);
    }
  }

  void apply(const Scope& scope, size_t section) {
    if (scope.address.empty()) {
      for (Heard& heard : heard_)
        if (fits_section(scope.listeners, tree_.sections[heard.section]))
          heard.scopes.push_back(section);
      return;
    }
    std::vector<std::string> hosts;
    for (const ListenText& listen :
         parse_addresses(template_.expand(scope.address, section), "1", hosts_))
      for (const Address& address : listen.addresses) hosts.push_back(address.host);
    for (const std::string& host : hosts) {
      std::vector<Heard> there;
      for (Heard& heard : heard_) take_address(heard, host, section, there);
      append(heard_, std::move(there));
    }
    std::erase_if(heard_, [](const Heard& heard) {
      return heard.listen.addresses.empty() && heard.listen.problem.empty();
    });
  }

  // What `heard` takes at this address becomes a listener of its own. A wildcard stays, for all
  // other addresses.
  static void take_address(Heard& heard, const std::string& host, size_t section,
                           std::vector<Heard>& into) {
    auto& addresses = heard.listen.addresses;
    const char* every = host.find(':') == host.npos ? "0.0.0.0" : "::";
    for (size_t i = 0; i < addresses.size(); ++i) {
      if (addresses[i].host != host && addresses[i].host != every) continue;
      into.push_back(heard);
      into.back().listen.addresses = {{host, addresses[i].port, ""}};
      into.back().scopes.push_back(section);
      if (addresses[i].host == host) addresses.erase(addresses.begin() + static_cast<long>(i--));
    }
  }

  // What a scope of the listener says, or else its section and those around that.
  const Setting* find_there(size_t section, const Heard* heard, const std::string& name) const {
    if (heard != nullptr)
      for (size_t scope : heard->scopes)
        if (const Setting* found = tree_.own(scope, name)) return found;
    return tree_.find(section, name);
  }

  // The setting, or what the program uses without it.
  const Setting* find_or(size_t section, const Heard* heard, const std::string& name,
                         const std::string& otherwise) {
    const Setting* found = find_there(section, heard, name);
    if (found != nullptr || otherwise.empty()) return found;
    auto [entry, is_new] = defaults_.try_emplace(name);
    if (is_new) {
      entry->second.name = name;
      entry->second.value = otherwise;
      entry->second.where.file = fixed_.at("host configuration");
    }
    return &entry->second;
  }

  // A certificate without names belongs to each listener whose nearest section names it; one with
  // names to the listeners around it.
  void find(const CertificateSettings& settings) {
    if (!settings.names.empty() || settings.chosen_by_certificate || settings.client) {
      for (size_t section : sections_of(settings.place))
        if (const Setting* setting = tree_.own(section, settings.certificate))
          add_all(settings, section, setting, nullptr);
      return;
    }
    for (const Heard& heard : heard_) {
      if (heard.listener->group != settings.group) continue;
      if (!settings.place.section.empty() &&
          !fits_section(settings.place.section, tree_.sections[heard.section]))
        continue;
      const Setting* setting =
          find_or(heard.section, &heard, settings.certificate, settings.default_certificate);
      if (setting == nullptr || !holds(settings.place, heard.section)) continue;
      add_all(settings, heard.section, setting, &heard);
    }
  }

  void add_all(const CertificateSettings& settings, size_t section, const Setting* setting,
               const Heard* heard) {
    const std::vector<NamedPath> files = files_of(settings, *setting);
    const Setting* key = settings.key.empty()
                             ? nullptr
                             : find_or(section, heard, settings.key, settings.default_key);
    const KeyList keys(files, key ? files_of(settings, *key) : std::vector<NamedPath>(),
                       settings.chosen_by_certificate, root_);
    for (size_t i = 0; i < files.size(); ++i) {
      if (files[i].path.empty() || keys.is_key(i)) continue;
      add({.settings = &settings,
           .section = section,
           .certificate = files[i],
           .key = keys.of(i).value_or(key_beside(settings, files[i])),
           .chain = keys.chain_of(i),
           .names = names_of(settings, section),
           .hosts = words_in_lower_case(settings.hosts, section),
           .where = setting,
           .key_where = key ? key : setting,
           .heard = {}},
          heard);
    }
  }

  // The file of a setting, or those of a list, in which a pattern stands for the files that fit it.
  // A value that names none keeps its place, for keys in a list of their own.
  std::vector<NamedPath> files_of(const CertificateSettings& settings, const Setting& setting) {
    constexpr size_t kMostFitting = 1'000;
    const bool is_list = !settings.separator.empty();
    std::vector<NamedPath> files;
    for (const std::string& word :
         is_list ? words_of_list(setting.value, settings.separator) : std::vector{setting.value}) {
      if (!is_list || !settings.chosen_by_certificate || !is_glob(word)) {
        files.push_back(path_of(settings, word, &setting).value_or(NamedPath()));
        continue;
      }
      const std::string pattern = absolute_in(fixed_.at("directory"), word);
      if (auto real = root_.real_path(directory_of_glob(pattern)))
        tree_.directories.push_back(std::move(*real));
      std::vector<std::string> fitting = expand_glob(pattern, root_);
      if (fitting.size() > kMostFitting) {
        complain(&setting, "it fits too many files; the rest is not read");
        fitting.resize(kMostFitting);
      }
      for (std::string& path : fitting) files.push_back({std::move(path), ""});
    }
    return files;
  }

  // The certificate's own file if there is no other.
  NamedPath key_beside(const CertificateSettings& settings, const NamedPath& certificate) const {
    if (settings.key_beside.empty()) return certificate;
    const size_t at = certificate.path.rfind(settings.key_beside[0]);
    if (at == certificate.path.npos) return certificate;
    std::string key = certificate.path;
    key.replace(at, settings.key_beside[0].size(), settings.key_beside[1]);
    return root_.files().stat(root_.on_host(key)) ? NamedPath{key, ""} : certificate;
  }

  std::vector<std::string> words_in_lower_case(const std::string& text, size_t section) const {
    return words_of_list(to_lower(template_.expand(text, section)), " ,");
  }

  std::vector<std::string> names_of(const CertificateSettings& settings, size_t section) const {
    std::vector<std::string> names = words_in_lower_case(settings.names, section);
    // Postfix: ".example.com" is every name below example.com.
    for (std::string& name : names)
      if (name.starts_with('.')) name.insert(0, 1, '*');
    return names;
  }

  // Unset if the value names no file: it is empty, or has a variable that we do not know.
  std::optional<NamedPath> path_of(const CertificateSettings& settings, const std::string& value,
                                   const Setting* at) {
    std::string_view path = value;
    if (!settings.prefix.empty()) {
      if (!path.starts_with(settings.prefix)) return std::nullopt;
      path = trim(path.substr(settings.prefix.size()));
    }
    if (path.empty() || path == "none") return std::nullopt;
    if (path.find('$') != path.npos) {
      complain(
          at, "the path contains a variable, which certrebind does not follow: " + printable(path));
      return std::nullopt;
    }
    if (path.find('*') != path.npos) {
      complain(at, "the path is a pattern, which certrebind does not follow: " + printable(path));
      return std::nullopt;
    }
    const std::string& directory = fixed_.at("directory");
    const std::string begin = settings.directory.empty()
                                  ? directory
                                  : absolute_in(directory, template_.expand(settings.directory, 0));
    return NamedPath{absolute_in(begin, path), std::string(path)};
  }

  void add(Named named, const Heard* heard) {
    auto same = std::ranges::find_if(named_, [&](const Named& other) {
      return other.settings == named.settings && other.where == named.where &&
             other.certificate == named.certificate && other.names == named.names;
    });
    if (same == named_.end()) same = named_.insert(named_.end(), std::move(named));
    if (heard) {
      same->heard.push_back(heard);
      return;
    }
    if (named.settings->client) return;
    for (const Heard& each : heard_)
      if (each.listener->sni && shows(each, *same)) same->heard.push_back(&each);
  }

  // A section for a name stands beside the listeners, or in one of them, if it does not say
  // which.
  bool shows(const Heard& heard, const Named& named) const {
    if (heard.listener->group != named.settings->group) return false;
    if (named.settings->start_tls_only && heard.start_tls == StartTls::none) return false;
    if (named.settings->chosen_by_certificate) return true;
    if (!named.settings->listeners.empty())
      return fits_section(template_.expand(named.settings->listeners, named.section),
                          tree_.sections[heard.section]);
    const size_t around = tree_.sections[named.section].parent;
    return tree_.is_within(heard.section, around) || tree_.is_within(named.section, heard.section);
  }

  NamedFile named_file(const NamedPath& named, const Setting& setting) const {
    NamedFile file{root_.on_host(named.path), setting.where, ""};
    if (file.where.file.empty()) file.where.file = fixed_.at("host configuration");
    if (description_.may_edit) find_written(named.text, setting, file);
    return file;
  }

  // Of a list only this file, without quotes and prefix. Nothing if it stands there in other words,
  // or twice.
  static void find_written(const std::string& text, const Setting& setting, NamedFile& file) {
    const size_t at = text.empty() ? text.npos : setting.written.find(text);
    const bool has_place = setting.where.end > setting.where.begin;
    if (!has_place || at == text.npos || setting.written.find(text, at + 1) != text.npos) return;
    file.written = text;
    file.where.begin = setting.where.begin + at;
    file.where.end = file.where.begin + text.size();
  }

  // Endpoints at which a reload loads nothing have a binding of their own.
  void bind(Named& named) {
    std::map<std::string, std::vector<const Heard*>> by_reason;
    for (const Heard* heard : named.heard)
      by_reason[heard->listener->restart_only].push_back(heard);
    if (by_reason.empty()) by_reason[""];
    for (auto& [why, heard] : by_reason) {
      named.heard = std::move(heard);
      bind_one(named, why);
    }
  }

  void bind_one(const Named& named, const std::string& restart_only) {
    Binding binding;
    binding.restart_only = restart_only;
    binding.role = named.settings->client ? Role::client : Role::server;
    binding.certificate = named_file(named.certificate, *named.where);
    binding.key = named_file(named.key, *named.key_where);
    if (named.chain) binding.chain = named_file(*named.chain, *named.where);
    if (!named.settings->chain.empty())
      if (const Setting* chain =
              find_there(named.section, named.heard.empty() ? nullptr : named.heard.front(),
                         named.settings->chain))
        if (auto path = path_of(*named.settings, chain->value, chain))
          binding.chain = named_file(*path, *chain);
    binding.leaf_alone =
        named.key.path == named.certificate.path && is_pkcs12_file(binding.certificate.path);
    choose_names(named, binding);
    if (!named.settings->hosts.empty() && binding.names.empty()) return;  // no host uses it
    for (const Heard* heard : named.heard) add_endpoints(*heard, named, binding);
    binding.site = site_of(named, binding);
    found_.bindings.push_back(std::move(binding));
  }

  // Of such a file stunnel sends the leaf only, whatever else is in it.
  bool is_pkcs12_file(const std::string& path) const {
    auto bytes = root_.files().read(path, kPemLimit);
    return bytes && !bytes->starts_with('-') && is_pkcs12(*bytes);
  }

  void choose_names(const Named& named, Binding& binding) {
    binding.names = named.names;
    if (!named.names.empty() || named.settings->client) return;
    auto look = std::make_shared<OnDisk>(look_at(root_.files(), binding.certificate.path));
    if (look->certificate) binding.names = look->certificate->names;
    if (!named.settings->hosts.empty()) {
      std::vector<std::string> covered;
      for (const std::string& host : named.hosts)
        if (covers(binding.names, host) && !has_its_own(host)) covered.push_back(host);
      binding.names = std::move(covered);
    }
    binding.named_by_certificate = true;
    found_.looked_at.emplace(binding.certificate.path, std::move(look));
  }

  bool has_its_own(const std::string& host) const {
    return std::ranges::any_of(named_, [&](const Named& named) {
      return std::ranges::find(named.names, host) != named.names.end();
    });
  }

  std::string site_of(const Named& named, const Binding& binding) const {
    if (!named.names.empty()) return named.names.front();
    if (named.settings->client) return description_.title + " as a client";
    std::string site = template_.expand(description_.site, named.section);
    if (!site.empty()) return site;
    if (named.settings->chosen_by_certificate && !binding.names.empty())
      return binding.names.front();
    return description_.title;
  }

  void add_endpoints(const Heard& heard, const Named& named, Binding& binding) {
    for (const Address& bound : heard.listen.addresses) {
      Endpoint endpoint;
      endpoint.address = bound;
      endpoint.listens = heard.listen.text;
      endpoint.start_tls = heard.start_tls;
      endpoint.proxy_protocol = heard.proxy_protocol;
      endpoint.unproven = heard.unproven;
      reach(bound, endpoint);
      if (named.names.empty() && !named.settings->chosen_by_certificate) {
        endpoint.without_sni = true;
      } else {
        for (const std::string& name : binding.names) add_probe_name(name, endpoint);
      }
      binding.endpoints.push_back(std::move(endpoint));
    }
  }

  // For a wildcard any name that it covers.
  static void add_probe_name(const std::string& name, Endpoint& endpoint) {
    std::string probe = name.starts_with("*.") ? "certrebind" + name.substr(1) : name;
    if (is_sni_name(probe)) endpoint.probe_names.push_back(std::move(probe));
  }

  // A wildcard has no address of its own: a loopback address that no other listener names.
  void reach(const Address& bound, Endpoint& endpoint) const {
    if (bound.host != "0.0.0.0" && bound.host != "::") return;
    std::set<std::pair<std::string, uint16_t>> specific;
    for (const Heard& heard : heard_)
      for (const Address& address : heard.listen.addresses)
        if (address.host != "0.0.0.0" && address.host != "::")
          specific.insert({address.host, address.port});
    Loopback loopback(std::move(specific));
    Reach found = bound.host == "::" ? loopback.ipv6(bound.port) : loopback.ipv4(bound.port);
    endpoint.address = std::move(found.address);
    if (endpoint.unproven.empty()) endpoint.unproven = std::move(found.unproven);
  }

  const Description& description_;
  SettingsTree tree_;
  const std::map<std::string, std::string>& fixed_;
  Template template_;
  Root& root_;
  HostNames hosts_;
  std::vector<Heard> heard_;
  std::vector<Named> named_;
  std::map<std::string, Setting> defaults_;  // by name
  Discovery found_;
};

}  // namespace

Discovery discover_bindings(const Description& description, SettingsTree tree,
                            const std::map<std::string, std::string>& fixed, Root& root) {
  return Binder(description, std::move(tree), fixed, root).run();
}

}  // namespace certrebind::described
