#include "service/haproxy/listeners.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "base/text.h"
#include "service/haproxy/crt_list.h"
#include "service/haproxy/crt_store.h"

namespace certrebind::haproxy {

namespace {

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

// The index of the first option of a line that describes a server or a peer; 0 for other lines. Of
// `server` lines in `peers` that have no address, it is where the address would be.
size_t first_option_of_server(const Statement& statement) {
  std::string_view word = statement.word(0);
  if (word == "default-server") return 1;
  if (word == "server" || word == "peer") return 2;
  return word == "server-template" ? 4 : 0;
}

std::vector<std::string_view> views_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

// Reads what `bind`, `server` and similar lines say, in HAProxy's order of loading.
class ListenerReader {
 public:
  ListenerReader(const Config& config, const Globals& globals, const Started& started, Root& root)
      : config_(config),
        globals_(globals),
        several_defaults_(is_since(started.build, kSeveralDefaults)),
        frees_logs_(is_since(started.build, kFreesLogs)),
        root_(root),
        pems_(config, globals, root) {}

  Listeners run() {
    for (const Section& section : config_.sections)
      if (is_proxy(section)) read_section(section);
    // HAProxy loads these after everything else.
    for (const Section& section : config_.sections)
      if (is_proxy(section)) read_servers(section);
    found_.directories = pems_.directories();
    found_.looked_at = pems_.take_looked_at();
    return std::move(found_);
  }

 private:
  // Since this version a listener has a default certificate of each key type.
  static constexpr std::string_view kSeveralDefaults = "3.0";
  // HAProxy 2.6 does not free a connection to a log-forward that ends before the first message, and
  // takes ten of them by default: probes would close it.
  static constexpr std::string_view kFreesLogs = "3.0";

  void read_section(const Section& section) {
    const size_t first = found_.all.size();
    if (section.head.word(0) == "peers")
      read_peers(section);
    else
      read_binds(section);
    const bool disabled = is_disabled(section);
    const bool is_log = section.head.word(0) == "log-forward";
    for (size_t i = first; i < found_.all.size(); ++i) {
      finish(found_.all[i]);
      if (disabled) closed(found_.all[i], "its section is disabled");
      if (is_log && !frees_logs_)
        found_.all[i].not_asked =
            "this HAProxy does not free connections to a log-forward without a message";
    }
  }

  void read_servers(const Section& section) {
    for (const Statement& statement : section.statements)
      if (size_t at = first_option_of_server(statement); at > 0)
        read_server(section, statement, at);
  }

  void read_binds(const Section& section) {
    bool expects_proxy = false;
    const size_t first = found_.all.size();
    for (const Statement& statement : section.statements) {
      if (statement.word(0) == "bind") read_bind(section, statement);
      // With a condition, only some connections need the header.
      if (statement.word(0) == "tcp-request" && statement.word(1) == "connection" &&
          statement.word(2) == "expect-proxy" && statement.words.size() == 4)
        expects_proxy = true;
    }
    for (size_t i = first; i < found_.all.size(); ++i) {
      found_.all[i].options.accepts_proxy |= expects_proxy;
      // HAProxy loads them after the certificates of the bind line, and the last line first.
      for (const Statement& statement : std::views::reverse(section.statements))
        if (statement.word(0) == "ssl-f-use") read_use(statement, found_.all[i]);
    }
  }

  Listener listener_at(const Section& section, const Place& place) const {
    Listener listener;
    listener.place = place;
    listener.section = name_of(section);
    listener.options = default_options(globals_);
    return listener;
  }

  void read_bind(const Section& section, const Statement& statement) {
    Listener listener = listener_at(section, statement.place);
    listener.addresses = parse_addresses(statement.word(1), globals_.unix_prefix);
    add_options(statement, 2, listener.options);
    if (!listener.options.tls) return note_unused(listener);
    read_certificates(statement, 2, listener);
    found_.all.push_back(std::move(listener));
  }

  // One listener: all `bind` and `default-bind` lines describe it, and it has the address of `bind`
  // or of the `peer` line with the local peer's name.
  void read_peers(const Section& section) {
    Listener listener = listener_at(section, section.head.place);
    for (const Statement& statement : section.statements) {
      const std::string_view word = statement.word(0);
      if (word == "bind" || word == "default-bind") {
        listener.place = statement.place;
        add_options(statement, 1, listener.options);
      }
      if (word == "bind" || is_local_peer(statement, config_.local_peer))
        listener.addresses =
            parse_addresses(statement.word(address_word(statement)), globals_.unix_prefix);
    }
    if (!listener.options.tls) return note_unused(listener);
    for (const Statement& statement : section.statements)
      if (statement.word(0) == "bind" || statement.word(0) == "default-bind")
        read_certificates(statement, 1, listener);
    if (listener.addresses.empty())
      closed(listener, fmt::format("no peer of the section is named {}, as this HAProxy is",
                                   printable(config_.local_peer)));
    found_.all.push_back(std::move(listener));
  }

  void note_unused(const Listener& listener) {
    if (listener.options.names_certificate)
      report(Severity::note, listener.place, 1, "a certificate without ssl is not used");
  }

  // HAProxy has its certificates, and does not listen: others may do so at its addresses.
  static void closed(Listener& listener, const std::string& why) {
    BindAddress nowhere;
    nowhere.text = listener.addresses.empty() ? listener.section : listener.addresses.front().text;
    nowhere.unknown = why;
    listener.addresses = {std::move(nowhere)};
  }

  void finish(Listener& listener) {
    const BindOptions& options = listener.options;
    for (Use& use : listener.uses) {
      use.updates_ocsp |= options.updates_ocsp;
      if (use.ciphers.empty()) use.ciphers = options.ciphers;
      if (options.only_newest) use.ciphers.clear();
    }
    if (listener.uses.empty())
      report(Severity::warning, listener.place, 1, "TLS is on here without a certificate");
  }

  void read_certificates(const Statement& statement, size_t first, Listener& listener) {
    for (size_t i = first; i + 1 < statement.words.size(); ++i) {
      std::string_view word = statement.word(i);
      const Word& value = statement.words[i + 1];
      if (word == "crt" || word == "default-crt")
        read_crt(statement, value, word == "default-crt", listener.uses);
      if (word == "crt-list") read_list(statement, value, listener.uses);
      if (takes_value(word)) ++i;
    }
  }

  // The first certificate is a default one, and with it the others of its bundle. `default-crt`
  // makes no certificate of a directory one.
  void read_crt(const Statement& statement, const Word& value, bool is_default,
                std::vector<Use>& into) {
    Pems pems = find(statement.place, value, *statement.bases);
    const size_t first = into.size();
    for (Pem& pem : pems.all)
      into.push_back(use_of(statement.place, value, std::move(pem), statement.doubtful));
    if (first == into.size()) return;
    into[first].is_default |= first == 0;
    if (several_defaults_ && !pems.is_directory && (is_default || first == 0))
      for (size_t i = first; i < into.size(); ++i) into[i].is_default = true;
  }

  Pems find(const Place& place, const Word& value, const Bases& bases) {
    Pems pems = pems_.find(value.value, bases);
    report_problem(place, value, pems);
    return pems;
  }

  void report_problem(const Place& place, const Word& value, const Pems& pems) {
    if (!pems.problem.empty())
      report(Severity::error, place, value.begin + 1,
             fmt::format("{}: {}", printable(value.value), pems.problem));
  }

  static Use use_of(const Place& place, const Word& value, Pem pem, bool doubtful) {
    Use use;
    use.editable_word = pem.by_name && !value.expanded && !value.value.starts_with('@');
    use.updates_ocsp = pem.updates_ocsp;
    use.pem = std::move(pem);
    use.place = place;
    use.word = value;
    use.doubtful = doubtful;
    return use;
  }

  void read_list(const Statement& statement, const Word& value, std::vector<Use>& into) {
    const Bases& bases = *statement.bases;
    std::string path = absolute_in(bases.directory, value.value);
    auto real = root_.real_path(path);
    auto text = real ? root_.files().read(*real, kConfigLimit) : Result<std::string>(pass(real));
    if (!text)
      return report(Severity::error, statement.place, value.begin + 1, text.error().message());
    found_.lists.push_back(std::make_unique<ConfigFile>(path, *real, std::move(*text)));
    List list = parse_list(*found_.lists.back());
    for (Diagnostic& diagnostic : list.diagnostics)
      found_.diagnostics.push_back(std::move(diagnostic));
    into.reserve(into.size() + list.entries.size());
    std::vector<PemFinder::Listed> lines;
    lines.reserve(list.entries.size());
    for (const ListEntry& entry : list.entries)
      lines.push_back({entry.certificate.value, load_options(views_of(entry.options))});
    std::vector<Pems> found = pems_.find_listed(lines, bases);
    for (size_t i = 0; i < found.size(); ++i)
      add_entry(list.entries[i], std::move(found[i]), statement.doubtful, into);
  }

  // The value of an option between the brackets; null if the option is missing.
  static const std::string* option_of(const ListEntry& entry, std::string_view name) {
    auto option = std::ranges::find(entry.options, name);
    const bool has_value = option != entry.options.end() && option + 1 != entry.options.end();
    return has_value ? &*(option + 1) : nullptr;
  }

  // Only the first certificate is a default one by its place, even of a bundle.
  void add_entry(const ListEntry& entry, Pems pems, bool doubtful, std::vector<Use>& into) {
    report_problem(entry.place, entry.certificate, pems);
    const std::string* ciphers = option_of(entry, "ciphers");
    const bool is_default =
        several_defaults_ && std::ranges::find(entry.filters, "*") != entry.filters.end();
    for (Pem& pem : pems.all) {
      Use use = use_of(entry.place, entry.certificate, std::move(pem), doubtful);
      use.filters = entry.filters;
      use.is_default = is_default || into.empty();
      if (ciphers != nullptr) use.ciphers = *ciphers;
      into.push_back(std::move(use));
    }
  }

  // `ssl-f-use crt FILE [key FILE] …` applies to every `bind` with TLS of its frontend (HAProxy
  // 3.2). HAProxy makes a crt-list of these lines.
  void read_use(const Statement& statement, Listener& listener) {
    std::vector<std::string_view> words;
    for (const Word& word : statement.words) words.push_back(word.value);
    const Word* certificate = value_of(statement, "crt");
    if (certificate == nullptr) return;
    const LoadOptions options = load_options(words);
    Pems pems =
        std::move(pems_.find_listed({{certificate->value, options}}, *statement.bases).front());
    report_problem(statement.place, *certificate, pems);
    for (Pem& pem : pems.all) {
      Use use = use_of(statement.place, *certificate, std::move(pem), statement.doubtful);
      if (const Word* key = value_of(statement, "key")) name_key(*key, options, use);
      use.is_default = listener.uses.empty();
      listener.uses.push_back(std::move(use));
    }
  }

  // The line names certificate and key, and may name others instead, unless it names more.
  static void name_key(const Word& key, const LoadOptions& options, Use& use) {
    use.key = key;
    use.editable_word = options.ocsp.empty() && options.issuer.empty() && options.sctl.empty() &&
                        !use.word.expanded && !key.expanded && !use.word.value.starts_with('@');
  }

  static const Word* value_of(const Statement& statement, std::string_view option) {
    for (size_t i = 1; i + 1 < statement.words.size(); ++i)
      if (statement.word(i) == option) return &statement.words[i + 1];
    return nullptr;
  }

  // Of several certificates HAProxy uses the last one.
  void read_server(const Section& section, const Statement& statement, size_t first) {
    const Word* certificate = nullptr;
    for (size_t i = first; i + 1 < statement.words.size(); ++i)
      if (statement.word(i) == "crt") certificate = &statement.words[i + 1];
    if (certificate == nullptr) return;
    Bases bases = config_.at_end;
    bases.certificates = statement.bases->certificates;
    const bool has_name = statement.word(0) != "default-server";
    for (Pem& pem : find(statement.place, *certificate, bases).all)
      found_.clients.push_back(
          {.site = name_of(section) + "/" + std::string(statement.word(has_name ? 1 : 0)),
           .use = use_of(statement.place, *certificate, std::move(pem), statement.doubtful)});
  }

  void report(Severity severity, const Place& place, size_t column, std::string message) {
    found_.diagnostics.push_back(diagnostic_at(severity, place, column, std::move(message)));
  }

  const Config& config_;
  const Globals& globals_;
  const bool several_defaults_;
  const bool frees_logs_;
  Root& root_;
  PemFinder pems_;
  Listeners found_;
};

}  // namespace

Listeners find_listeners(const Config& config, const Globals& globals, const Started& started,
                         Root& root) {
  return ListenerReader(config, globals, started, root).run();
}

}  // namespace certrebind::haproxy
