#include "service/described/description.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/start_tls.h"
#include "base/text.h"
#include "service/described/signal_name.h"
#include "state/toml_reader.h"

namespace certrebind::described {

namespace {

constexpr std::array<std::pair<std::string_view, Format>, 10> kFormats = {
    {{"assignments", Format::assignments},
     {"words", Format::words},
     {"ini", Format::ini},
     {"blocks", Format::blocks},
     {"json", Format::json},
     {"yaml", Format::yaml},
     {"lua", Format::lua},
     {"options", Format::options},
     {"master.cf", Format::postfix_master},
     {"lookup table", Format::lookup_table}}};

constexpr std::array<std::pair<std::string_view, OnBadCertificate>, 3> kBad = {
    {{"keeps old", OnBadCertificate::keeps_old},
     {"tls off", OnBadCertificate::tls_off},
     {"dies", OnBadCertificate::dies}}};

constexpr std::array<std::pair<std::string_view, bool>, 1> kUnitReload = {{{"unsafe", true}}};

// Reads the tables of one description.
class DescriptionReader {
 public:
  DescriptionReader(const std::string& file, const toml::table& root)
      : reader_(file, root), root_(root) {
    into_.file = file;
  }

  Result<Description> run() {
    reader_.only(root_, {"kind", "title", "tried", "process", "read", "listener", "scope",
                         "certificate", "not_followed", "site", "may_edit", "test", "reload",
                         "on_bad_certificate", "keys_read_as", "loaded"});
    into_.kind = reader_.text(root_, "kind");
    into_.title = reader_.text(root_, "title");
    reader_.optional_text(root_, "tried", into_.tried);
    reader_.optional_text(root_, "site", into_.site);
    reader_.optional_text(root_, "keys_read_as", into_.key_reader);
    reader_.boolean(root_, "may_edit", into_.may_edit);
    reader_.texts(root_, "test", into_.test);
    reader_.texts(root_, "loaded", into_.loaded);
    if (!is_kind_name(into_.kind)) complain(root_, "'kind' must be lower-case letters and digits");
    if (const toml::table* process = reader_.table("process")) read_process(*process);
    each("read", [&](const toml::table& table) { read_source(table); });
    each("listener", [&](const toml::table& table) { read_listener(table); });
    each("scope", [&](const toml::table& table) { read_scope(table); });
    each("certificate", [&](const toml::table& table) { read_certificate(table); });
    each("not_followed", [&](const toml::table& table) { read_not_followed(table); });
    each("reload", [&](const toml::table& table) { read_reload(table); });
    one_of(root_, "on_bad_certificate", kBad, into_.on_bad_certificate);
    check_braces(root_);
    must_have();
    if (reader_.complaint()) return fail(*reader_.complaint());
    return std::move(into_);
  }

 private:
  static bool is_kind_name(std::string_view name) {
    return !name.empty() &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == name.npos;
  }

  void complain(const toml::table& at, std::string cause) {
    reader_.complain(at.source(), std::move(cause), "see certrebind-services(5)");
  }

  // An open brace would be text for the program.
  void check_braces(const toml::node& node, std::string_view key = {}) {
    if (const toml::table* table = node.as_table())
      for (const auto& [name, value] : *table) check_braces(value, name.str());
    if (const toml::array* array = node.as_array())
      for (const toml::node& value : *array) check_braces(value, key);
    const auto text = node.value<std::string_view>();
    const bool is_no_template = key == "prefix" || key == "separator" || key == "key_beside";
    if (!text || is_no_template) return;
    if (std::ranges::count(*text, '{') != std::ranges::count(*text, '}'))
      reader_.complain(node.source(), fmt::format("'{}': a brace is not closed", key),
                       "a setting stands in braces: {name}");
  }

  void must_have() {
    if (into_.executables.empty()) complain(root_, "[process] must list 'executables'");
    if (into_.sources.empty()) complain(root_, "there is no [[read]]: nothing says what to read");
    if (into_.certificates.empty()) complain(root_, "there is no [[certificate]]");
    if (into_.listeners.empty()) complain(root_, "there is no [[listener]]");
    if (into_.reloads.empty()) complain(root_, "there is no [[reload]]");
    for (const CertificateSettings& settings : into_.certificates)
      if (!settings.client && std::ranges::none_of(into_.listeners, [&](const Listener& listener) {
            return listener.group == settings.group;
          }))
        complain(root_, fmt::format("no [[listener]] shows the certificates of group '{}'",
                                    settings.group));
    const bool rebuilds = std::ranges::any_of(
        into_.sources, [](const Source& source) { return !source.rebuild.empty(); });
    const bool all_run = std::ranges::all_of(into_.reloads, [](const ReloadDescription& reload) {
      return reload.kind == ReloadDescription::Kind::command;
    });
    if (rebuilds && !all_run)
      complain(root_, "with 'rebuild' each [[reload]] must have 'commands'");
  }

  template <class Act>
  void each(std::string_view name, Act act) {
    const toml::node* node = root_.get(name);
    if (node == nullptr) return;
    const toml::array* tables = node->as_array();
    if (tables == nullptr || !tables->is_homogeneous(toml::node_type::table))
      return reader_.complain(node->source(),
                              fmt::format("'{}' must be a list of tables: [[{}]]", name, name));
    for (const toml::node& table : *tables) act(*table.as_table());
  }

  template <class Value, size_t count>
  void one_of(const toml::table& table, std::string_view name,
              const std::array<std::pair<std::string_view, Value>, count>& known, Value& into) {
    std::string text;
    reader_.optional_text(table, name, text);
    if (text.empty()) return;
    std::vector<std::string> valid;
    for (const auto& [word, value] : known) {
      if (word == text) {
        into = value;
        return;
      }
      valid.emplace_back(word);
    }
    reader_.complain(table.get(name)->source(), fmt::format("'{}' is not a valid '{}'", text, name),
                     "valid: " + join(valid, ", "));
  }

  void read_process(const toml::table& table) {
    reader_.only(table, {"executables", "argument", "users", "options", "environment",
                         "file_in_directory", "usual", "programs", "on_demand", "version", "units",
                         "only_in_units", "unit_reload", "unit_reload_why"});
    reader_.texts(table, "executables", into_.executables);
    reader_.optional_text(table, "argument", into_.argument);
    reader_.texts(table, "users", into_.users);
    reader_.texts(table, "options", into_.options);
    reader_.optional_text(table, "environment", into_.environment);
    reader_.optional_text(table, "file_in_directory", into_.file_in_directory);
    reader_.texts(table, "usual", into_.usual);
    reader_.texts(table, "programs", into_.programs);
    reader_.boolean(table, "on_demand", into_.on_demand);
    reader_.texts(table, "version", into_.version);
    read_units(table);
  }

  void read_units(const toml::table& table) {
    reader_.texts(table, "units", into_.units);
    reader_.boolean(table, "only_in_units", into_.only_in_units);
    bool is_unsafe = false;
    one_of(table, "unit_reload", kUnitReload, is_unsafe);
    reader_.optional_text(table, "unit_reload_why", into_.unit_reload_why);
    if (is_unsafe == into_.unit_reload_why.empty())
      complain(table, "'unit_reload' and 'unit_reload_why' must be given together");
    if (into_.units.empty() && (is_unsafe || into_.only_in_units))
      complain(table,
               fmt::format("'{}' needs 'units'", is_unsafe ? "unit_reload" : "only_in_units"));
  }

  void read_source(const toml::table& table) {
    reader_.only(table,
                 {"when", "format", "file", "command", "as_root", "arguments", "include",
                  "include_inside", "include_directories", "include_ending", "sections", "optional",
                  "files", "only_last", "types", "compiled", "rebuild", "defaults"});
    Source source;
    one_of(table, "format", kFormats, source.format);
    reader_.optional_text(table, "file", source.file);
    reader_.texts(table, "when", source.when);
    reader_.texts(table, "command", source.command);
    reader_.boolean(table, "as_root", source.as_root);
    if (source.as_root && source.command.empty())
      complain(table, "'as_root' must go with 'command'");
    reader_.boolean(table, "arguments", source.arguments);
    reader_.optional_text(table, "defaults", source.defaults);
    reader_.texts(table, "include", source.include);
    reader_.boolean(table, "include_inside", source.include_inside);
    reader_.texts(table, "include_directories", source.include_directories);
    reader_.optional_text(table, "include_ending", source.include_ending);
    reader_.texts(table, "sections", source.sections);
    reader_.boolean(table, "optional", source.optional);
    reader_.optional_text(table, "files", source.files);
    reader_.boolean(table, "only_last", source.only_last);
    reader_.texts(table, "types", source.types);
    reader_.texts(table, "compiled", source.compiled);
    reader_.texts(table, "rebuild", source.rebuild);
    if (source.compiled.empty() != source.rebuild.empty())
      complain(table, "'compiled' and 'rebuild' must be given together");
    into_.sources.push_back(std::move(source));
  }

  void read_place(const toml::table& table, Place& place) {
    reader_.optional_text(table, "section", place.section);
    reader_.texts(table, "when", place.when);
  }

  void read_listener(const toml::table& table) {
    reader_.only(table,
                 {"section", "when", "group", "address", "separator", "port", "start_tls",
                  "direct_when", "direct_ports", "proxy_when", "sni", "unproven", "restart_only"});
    Listener listener;
    read_place(table, listener.place);
    reader_.optional_text(table, "group", listener.group);
    reader_.optional_text(table, "address", listener.address);
    reader_.optional_text(table, "separator", listener.separator);
    reader_.optional_text(table, "port", listener.port);
    reader_.optional_text(table, "start_tls", listener.start_tls);
    reader_.optional_text(table, "direct_when", listener.direct_when);
    reader_.optional_text(table, "direct_ports", listener.direct_ports);
    reader_.optional_text(table, "proxy_when", listener.proxy_when);
    reader_.boolean(table, "sni", listener.sni);
    reader_.optional_text(table, "unproven", listener.unproven);
    reader_.optional_text(table, "restart_only", listener.restart_only);
    const std::string& dialect = listener.start_tls;
    if (!dialect.empty() && dialect.find('{') == dialect.npos && !start_tls_named(dialect))
      complain(table, fmt::format("'{}' is not a known STARTTLS dialect", dialect));
    into_.listeners.push_back(std::move(listener));
  }

  void read_scope(const toml::table& table) {
    reader_.only(table, {"section", "when", "listeners", "address"});
    Scope scope;
    read_place(table, scope.place);
    reader_.optional_text(table, "listeners", scope.listeners);
    reader_.optional_text(table, "address", scope.address);
    if (scope.place.section.empty()) complain(table, "[[scope]] must name a 'section'");
    if (scope.listeners.empty() == scope.address.empty())
      complain(table, "[[scope]] must have one of 'listeners', 'address'");
    into_.scopes.push_back(std::move(scope));
  }

  void read_not_followed(const toml::table& table) {
    reader_.only(table, {"section", "when", "why"});
    NotFollowed part;
    read_place(table, part.place);
    part.why = reader_.text(table, "why");
    into_.not_followed.push_back(std::move(part));
  }

  void read_certificate(const toml::table& table) {
    reader_.only(table,
                 {"section", "when", "group", "certificate", "key", "key_beside", "chain", "prefix",
                  "separator", "default_certificate", "default_key", "directory", "names",
                  "chosen_by_certificate", "hosts", "start_tls_only", "listeners", "client"});
    CertificateSettings settings;
    read_place(table, settings.place);
    reader_.optional_text(table, "group", settings.group);
    settings.certificate = reader_.text(table, "certificate");
    reader_.optional_text(table, "key", settings.key);
    reader_.texts(table, "key_beside", settings.key_beside);
    if (!settings.key_beside.empty() && settings.key_beside.size() != 2)
      complain(table, "'key_beside' must have two texts");
    reader_.optional_text(table, "chain", settings.chain);
    reader_.optional_text(table, "prefix", settings.prefix);
    reader_.optional_text(table, "separator", settings.separator);
    reader_.optional_text(table, "default_certificate", settings.default_certificate);
    reader_.optional_text(table, "default_key", settings.default_key);
    reader_.optional_text(table, "directory", settings.directory);
    reader_.optional_text(table, "names", settings.names);
    reader_.boolean(table, "chosen_by_certificate", settings.chosen_by_certificate);
    reader_.optional_text(table, "hosts", settings.hosts);
    if (!settings.hosts.empty() && !settings.chosen_by_certificate)
      complain(table, "'hosts' must go with 'chosen_by_certificate'");
    reader_.boolean(table, "start_tls_only", settings.start_tls_only);
    reader_.optional_text(table, "listeners", settings.listeners);
    if (!settings.listeners.empty() && settings.names.empty())
      complain(table, "'listeners' needs 'names'");
    reader_.boolean(table, "client", settings.client);
    if (settings.client && (!settings.names.empty() || settings.chosen_by_certificate))
      complain(table, "with 'client' no name chooses the certificate");
    into_.certificates.push_back(std::move(settings));
  }

  void read_commands(const toml::table& table, ReloadDescription& reload) {
    const toml::node* node = table.get("commands");
    if (node == nullptr) return;
    const toml::array* commands = node->as_array();
    if (commands == nullptr || !commands->is_homogeneous(toml::node_type::array))
      return reader_.complain(node->source(), "'commands' must be a list of argument lists");
    for (const toml::node& command : *commands) {
      std::vector<std::string> words;
      for (const toml::node& word : *command.as_array()) {
        if (!word.is_string())
          reader_.complain(word.source(), "'commands' must be a list of argument lists");
        words.push_back(word.value_or(std::string()));
      }
      if (words.empty()) reader_.complain(command.source(), "a command must have a program");
      reload.commands.push_back(std::move(words));
    }
  }

  // How it reloads is said in exactly one way.
  void read_reload(const toml::table& table) {
    using Kind = ReloadDescription::Kind;
    reader_.only(table, {"when", "signal", "commands", "input", "environment", "seconds", "as_root",
                         "restart_only", "per_connection", "may_cache", "socket", "say", "answer"});
    ReloadDescription reload;
    bool per_connection = false;
    reader_.texts(table, "when", reload.when);
    reader_.optional_text(table, "signal", reload.signal);
    read_commands(table, reload);
    reader_.optional_text(table, "input", reload.input);
    reader_.texts(table, "environment", reload.environment);
    reader_.boolean(table, "as_root", reload.as_root);
    reader_.optional_text(table, "restart_only", reload.why);
    reader_.optional_text(table, "socket", reload.socket);
    reader_.optional_text(table, "say", reload.say);
    reader_.optional_text(table, "answer", reload.answer);
    const bool has_socket = !reload.socket.empty();
    if (has_socket != !reload.say.empty() || has_socket != !reload.answer.empty())
      complain(table, "'socket', 'say' and 'answer' must be given together");
    reader_.boolean(table, "per_connection", per_connection);
    double seconds = 30;
    reader_.number(table, "seconds", 1, 3600, seconds);
    reload.deadline = milliseconds(static_cast<int64_t>(seconds * 1000));
    double may_cache = 0;
    reader_.number(table, "may_cache", 0, 600, may_cache);
    reload.may_cache = milliseconds(static_cast<int64_t>(may_cache * 1000));
    int ways = 0;
    auto way = [&](bool given, Kind kind) {
      if (!given) return;
      reload.kind = kind;
      ++ways;
    };
    way(!reload.signal.empty(), Kind::signal);
    way(!reload.commands.empty(), Kind::command);
    way(has_socket, Kind::socket);
    way(!reload.why.empty(), Kind::restart);
    way(per_connection, Kind::none);
    if (ways != 1)
      complain(table,
               "[[reload]] must have one of 'signal', 'commands', 'socket', 'restart_only', "
               "'per_connection'");
    if (reload.as_root && reload.commands.empty())
      complain(table, "'as_root' must go with 'commands'");
    if (!reload.signal.empty() && !signal_named(reload.signal))
      complain(table, fmt::format("'{}' is not a signal that reloads a server", reload.signal));
    into_.reloads.push_back(std::move(reload));
  }

  TomlReader reader_;
  const toml::table& root_;
  Description into_;
};

}  // namespace

Result<Description> parse_description(const std::string& file, const std::string& text) {
  auto table = parse_toml(file, text);
  if (!table) return pass(table);
  auto description = DescriptionReader(file, *table).run();
  if (description) description->text = text;
  return description;
}

}  // namespace certrebind::described
