#include "service/haproxy/listeners.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "service/haproxy/crt_list.h"

namespace certrebind::haproxy {

namespace {

// Words of a `bind` line that take a value: the next word is not a keyword.
constexpr std::array<std::string_view, 52> kWithValue = {"accept-netscaler-cip",
                                                         "alpn",
                                                         "backlog",
                                                         "curves",
                                                         "ecdhe",
                                                         "ca-file",
                                                         "ca-ignore-err",
                                                         "ca-sign-file",
                                                         "ca-sign-pass",
                                                         "ca-verify-file",
                                                         "ciphers",
                                                         "ciphersuites",
                                                         "client-sigalgs",
                                                         "sigalgs",
                                                         "crl-file",
                                                         "crt",
                                                         "crt-ignore-err",
                                                         "crt-list",
                                                         "default-crt",
                                                         "gid",
                                                         "group",
                                                         "guid-prefix",
                                                         "id",
                                                         "idle-ping",
                                                         "interface",
                                                         "level",
                                                         "severity-output",
                                                         "maxconn",
                                                         "mode",
                                                         "mss",
                                                         "name",
                                                         "namespace",
                                                         "nice",
                                                         "npn",
                                                         "ocsp-update",
                                                         "process",
                                                         "proto",
                                                         "shards",
                                                         "ssl-max-ver",
                                                         "ssl-min-ver",
                                                         "tcp-ut",
                                                         "thread",
                                                         "tls-ticket-keys",
                                                         "uid",
                                                         "user",
                                                         "verify",
                                                         "expose-fd",
                                                         "nbconn",
                                                         "label",
                                                         "quic-cc-algo",
                                                         "quic-socket",
                                                         "ktls"};

bool takes_value(std::string_view keyword) {
  return std::ranges::find(kWithValue, keyword) != kWithValue.end();
}

bool is_proxy(const Section& section) {
  std::string_view kind = section.head.word(0);
  return kind == "frontend" || kind == "listen" || kind == "backend" || kind == "defaults" ||
         kind == "peers" || kind == "log-forward" || kind == "ring";
}

std::string name_of(const Section& section) {
  std::string name(section.head.word(0));
  if (!section.head.word(1).empty()) name += " " + std::string(section.head.word(1));
  return name;
}

class ListenerReader {
 public:
  ListenerReader(const Globals& globals, const Started& started, Root& root)
      : globals_(globals),
        started_(started),
        root_(root),
        pems_(globals, started.directory, root) {}

  Listeners run(const Config& config) {
    for (const Section& section : config.sections)
      if (is_proxy(section)) read_section(section);
    found_.directories = pems_.directories();
    found_.looked_at = pems_.take_looked_at();
    return std::move(found_);
  }

 private:
  void read_section(const Section& section) {
    size_t first = found_.all.size();
    bool expects_proxy = false;
    for (const Statement& statement : section.statements) {
      if (statement.word(0) == "bind") read_bind(section, statement);
      if (statement.word(0) == "server" || statement.word(0) == "default-server")
        read_server(section, statement);
      // With a condition, only some connections need the header.
      if (statement.word(0) == "tcp-request" && statement.word(1) == "connection" &&
          statement.word(2) == "expect-proxy" && statement.words.size() == 4)
        expects_proxy = true;
    }
    for (size_t i = first; i < found_.all.size(); ++i) {
      found_.all[i].accepts_proxy |= expects_proxy;
      for (const Statement& statement : section.statements)
        if (statement.word(0) == "ssl-f-use") read_use(statement, found_.all[i]);
      if (found_.all[i].uses.empty())
        report(Severity::warning, found_.all[i].place, 1, "TLS is on here without a certificate");
    }
  }

  void read_bind(const Section& section, const Statement& statement) {
    Listener listener;
    listener.place = statement.place;
    listener.section = name_of(section);
    listener.addresses = parse_addresses(statement.word(1), globals_.unix_prefix);
    listener.strict_sni = globals_.strict_sni;
    bool tls = false, has_certificate = false;
    for (size_t i = 2; i < statement.words.size(); ++i) {
      std::string_view word = statement.word(i);
      tls |= word == "ssl";
      listener.strict_sni |= word == "strict-sni";
      listener.accepts_proxy |= word == "accept-proxy";
      listener.needs_other_header |= word == "accept-netscaler-cip";
      listener.both_families |= word == "v4v6";
      has_certificate |= word == "crt" || word == "crt-list";
      if (takes_value(word)) ++i;
    }
    if (!tls && has_certificate)
      report(Severity::note, statement.place, 1, "a certificate without ssl is not used");
    if (!tls) return;
    read_certificates(statement, listener);
    found_.all.push_back(std::move(listener));
  }

  void read_certificates(const Statement& statement, Listener& listener) {
    bool updates_ocsp = false;
    std::string ciphers = globals_.ciphers;
    bool only_newest = globals_.only_newest;
    for (size_t i = 2; i + 1 < statement.words.size(); ++i) {
      std::string_view word = statement.word(i);
      const Word& value = statement.words[i + 1];
      if (word == "crt" || word == "default-crt")
        add_uses(statement, value, word == "default-crt", listener.uses);
      if (word == "crt-list") read_list(statement, value, listener.uses);
      if (word == "ocsp-update") updates_ocsp = value.value == "on";
      if (word == "ciphers") ciphers = value.value;
      if (word == "ssl-min-ver") only_newest = value.value == "TLSv1.3";
      if (takes_value(word)) ++i;
    }
    for (Use& use : listener.uses) {
      use.updates_ocsp |= updates_ocsp;
      if (use.ciphers.empty()) use.ciphers = ciphers;
      if (only_newest) use.ciphers.clear();
    }
  }

  void add_uses(const Statement& statement, const Word& value, bool is_default,
                std::vector<Use>& into) {
    Pems pems = pems_.find(value.value);
    if (!pems.problem.empty())
      report(Severity::error, statement.place, value.begin + 1,
             fmt::format("{}: {}", printable(value.value), pems.problem));
    for (Pem& pem : pems.all) {
      bool editable = pem.by_name && !value.expanded && !value.value.starts_with('@');
      into.push_back({.pem = std::move(pem),
                      .place = statement.place,
                      .word = value,
                      .key = {},
                      .editable_word = editable,
                      .filters = {},
                      .is_default = is_default,
                      .updates_ocsp = false,
                      .doubtful = statement.doubtful});
    }
  }

  void read_list(const Statement& statement, const Word& value, std::vector<Use>& into) {
    std::string path = absolute_in(started_.directory, value.value);
    auto real = root_.real_path(path);
    auto text = real ? root_.files().read(*real, kConfigLimit) : Result<std::string>(pass(real));
    if (!text)
      return report(Severity::error, statement.place, value.begin + 1, text.error().message());
    found_.lists.push_back(std::make_unique<ConfigFile>(path, *real, std::move(*text)));
    List list = parse_list(*found_.lists.back());
    for (Diagnostic& diagnostic : list.diagnostics)
      found_.diagnostics.push_back(std::move(diagnostic));
    into.reserve(into.size() + list.entries.size());
    std::vector<std::string_view> values;
    for (const ListEntry& entry : list.entries) values.push_back(entry.certificate.value);
    std::vector<Pems> found = pems_.find_listed(values);
    for (size_t i = 0; i < found.size(); ++i)
      add_entry(list.entries[i], std::move(found[i]), statement.doubtful, into);
  }

  // The value of an option between the brackets; null if the option is missing.
  static const std::string* option_of(const ListEntry& entry, std::string_view name) {
    auto option = std::ranges::find(entry.options, name);
    const bool has_value = option != entry.options.end() && option + 1 != entry.options.end();
    return has_value ? &*(option + 1) : nullptr;
  }

  void add_entry(const ListEntry& entry, Pems pems, bool doubtful, std::vector<Use>& into) {
    if (!pems.problem.empty())
      report(Severity::error, entry.place, entry.certificate.begin + 1,
             fmt::format("{}: {}", printable(entry.certificate.value), pems.problem));
    const std::string* updating = option_of(entry, "ocsp-update");
    const std::string* ciphers = option_of(entry, "ciphers");
    const bool updates = updating != nullptr && *updating == "on";
    const std::string* key = option_of(entry, "key");
    for (Pem& pem : pems.all) {
      if (key != nullptr) pems_.set_key(pem, *key);
      bool editable = pem.by_name && !entry.certificate.value.starts_with('@');
      into.push_back({.pem = std::move(pem),
                      .place = entry.place,
                      .word = entry.certificate,
                      .key = {},
                      .editable_word = editable,
                      .filters = entry.filters,
                      .is_default = false,
                      .updates_ocsp = updates,
                      .doubtful = doubtful,
                      .ciphers = ciphers != nullptr ? *ciphers : std::string()});
    }
  }

  // `ssl-f-use crt FILE [key FILE] …` applies to every `bind` with TLS of its frontend (HAProxy
  // 3.2).
  void read_use(const Statement& statement, Listener& listener) {
    const Word* certificate = nullptr;
    const Word* key = nullptr;
    for (size_t i = 1; i + 1 < statement.words.size(); ++i) {
      if (statement.word(i) == "crt")
        certificate = &statement.words[++i];
      else if (statement.word(i) == "key")
        key = &statement.words[++i];
    }
    if (certificate == nullptr) return;
    if (key == nullptr) return add_uses(statement, *certificate, false, listener.uses);
    listener.uses.push_back({.pem = pems_.with_key(certificate->value, key->value),
                             .place = statement.place,
                             .word = *certificate,
                             .key = *key,
                             .editable_word = !certificate->expanded && !key->expanded,
                             .filters = {},
                             .is_default = false,
                             .updates_ocsp = false,
                             .doubtful = statement.doubtful});
  }

  void read_server(const Section& section, const Statement& statement) {
    bool has_name = statement.word(0) == "server";
    for (size_t i = has_name ? 3 : 1; i + 1 < statement.words.size(); ++i) {
      if (statement.word(i) != "crt") continue;
      std::vector<Use> uses;
      add_uses(statement, statement.words[i + 1], false, uses);
      std::string site =
          name_of(section) + "/" + std::string(has_name ? statement.word(1) : statement.word(0));
      for (Use& use : uses) found_.clients.push_back({site, std::move(use)});
    }
  }

  void report(Severity severity, const Place& place, size_t column, std::string message) {
    found_.diagnostics.push_back(diagnostic_at(severity, place, column, std::move(message)));
  }

  const Globals& globals_;
  const Started& started_;
  Root& root_;
  PemFinder pems_;
  Listeners found_;
};

}  // namespace

Listeners find_listeners(const Config& config, const Globals& globals, const Started& started,
                         Root& root) {
  return ListenerReader(globals, started, root).run(config);
}

}  // namespace certrebind::haproxy
