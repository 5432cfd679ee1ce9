#include "service/described/described.h"

#include <algorithm>

#include "base/text.h"
#include "service/described/addresses.h"
#include "service/described/bindings.h"
#include "service/described/read_settings.h"
#include "service/described/signal_name.h"
#include "service/described/template.h"
#include "service/host_names.h"
#include "service/root.h"
#include "sys/rights.h"

namespace certrebind {

using described::ReloadDescription;
using Fixed = std::map<std::string, std::string>;

namespace {

// "NAME=value" in place of every other value of NAME.
void set_variable(std::string variable, std::vector<std::string>& environment) {
  const std::string name = variable.substr(0, variable.find('=') + 1);
  std::erase_if(environment, [&](const std::string& each) { return each.starts_with(name); });
  environment.push_back(std::move(variable));
}

std::unexpected<Error> cannot_write(const std::string& path, const std::string& cause) {
  return fail(Code::unsupported, "name in the configuration", printable(path), cause,
              "use --rewrite");
}

}  // namespace

DescribedService::DescribedService(described::Instance instance, const Files& files,
                                   Commands& commands)
    : instance_(std::move(instance)), files_(files), commands_(commands) {
  const std::string on_host = Root(instance_.root, files).on_host(instance_.configuration);
  fixed_ = {{"configuration", instance_.configuration},
            {"directory", parent_directory(instance_.configuration)},
            {"executable", instance_.executable},
            {"pid", instance_.process ? std::to_string(instance_.process->pid) : ""},
            {"host configuration", on_host}};
  id_ = {instance_.description->kind, on_host};
}

Result<described::SettingsTree> DescribedService::settings() const {
  Root root(instance_.root, files_);
  return described::read_settings(
      *instance_.description,
      {root, commands_, trust().owner, fixed_, instance_.arguments, instance_.environment});
}

Result<Discovery> DescribedService::bindings() const {
  auto tree = settings();
  if (!tree) return pass(tree);
  Root root(instance_.root, files_);
  return described::discover_bindings(*instance_.description, std::move(*tree), fixed_, root);
}

Result<std::vector<FileEdit>> DescribedService::repoint(const Binding& binding,
                                                        const CertificateFiles& files) const {
  const std::string& title = instance_.description->title;
  if (!instance_.description->may_edit)
    return cannot_write(files.certificate,
                        "certrebind does not edit the configuration of " + title);
  if (binding.certificate.written.empty() || !binding.chain.path.empty())
    return cannot_write(files.certificate,
                        "certrebind cannot edit this part of the configuration of " + title);
  const bool apart = binding.key.where != binding.certificate.where;
  if (apart ? binding.key.written.empty() : files.key != files.certificate)
    return cannot_write(files.key, "no setting there names the key");
  auto certificate = edit(binding.certificate, files.certificate);
  if (!certificate) return pass(certificate);
  if (!apart) return std::vector{std::move(*certificate)};
  auto key = edit(binding.key, files.key);
  if (!key) return pass(key);
  return std::vector{std::move(*certificate), std::move(*key)};
}

// Only what no format gives a meaning to, quoted or not.
Result<FileEdit> DescribedService::edit(const NamedFile& named, const std::string& path) const {
  auto inside = Root(instance_.root, files_).inside(path);
  if (!inside || !inside->starts_with('/'))
    return fail(Code::usage, "name in the configuration", printable(path),
                "it lies outside the root directory of this " + instance_.description->title);
  constexpr const char* kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+@";
  if (inside->find_first_not_of(kPlain) != inside->npos)
    return cannot_write(path, "it holds blanks or other characters with a meaning");
  return FileEdit{named.where, named.written, std::move(*inside)};
}

// The program's name becomes its path, so that no PATH decides what runs.
Result<Command> DescribedService::command_of(const std::vector<std::string>& words,
                                             const described::SettingsTree& tree,
                                             const Fixed& fixed) const {
  if (!trust().container.empty())
    return fail(Code::denied, "run", words.front(), "it is a program of a container");
  const described::Template fill(tree, fixed);
  Command command;
  command.root = instance_.root;
  command.user = trust().owner;
  if (instance_.process) command.environment = instance_.environment;
  for (const std::string& word : words) command.arguments.push_back(fill.expand(word, 0));
  auto path = described::program_path(files_, command.arguments.front());
  if (!path) return pass(path);
  command.arguments.front() = *path;
  return command;
}

std::optional<Command> DescribedService::config_test() const {
  if (instance_.description->test.empty()) return std::nullopt;
  auto command = command_of(instance_.description->test, {}, fixed_);
  return command ? std::optional(std::move(*command)) : std::nullopt;
}

Reload DescribedService::reload() const {
  std::call_once(found_, [&] { reload_ = find_reload(); });
  Reload reload = reload_;
  if (reload.signal && !restart_for().empty()) reload.restart_only = restart_for();
  return reload;
}

// Without its test nothing is loaded.
Reload DescribedService::find_reload() const {
  if (!instance_.process) return {};
  if (!instance_.description->test.empty() && trust().container.empty())
    if (auto test = command_of(instance_.description->test, {}, fixed_); !test)
      return not_now("it cannot be tested", test.error());
  auto tree = settings();
  if (!tree) return not_now("its configuration cannot be read", tree.error());
  const described::Template fill(*tree, fixed_);
  for (const ReloadDescription& how : instance_.description->reloads)
    if (std::ranges::all_of(how.when, [&](const auto& each) { return fill.holds(each, 0); }))
      return reload_by(how, *tree);
  return {.signal = instance_.process, .restart_only = "no way to reload it is described"};
}

Reload DescribedService::not_now(const std::string& why, const Error& error) const {
  return {.signal = instance_.process, .restart_only = why + ": " + error.message()};
}

// Nothing of the server's user but the values of settings reaches the command: a value with a line
// break could add lines to the input.
Done DescribedService::run_as_root(const ReloadDescription& how, Command& command) const {
  const bool has_breaks =
      std::ranges::count(command.input, '\n') != std::ranges::count(how.input, '\n') ||
      command.input.find('\r') != command.input.npos;
  if (has_breaks || instance_.root != "/")
    return fail(Code::denied, "run " + command.arguments.front() + " for", id_.text(),
                has_breaks ? "a setting has a line break" : "it has a root directory of its own");
  command.user = own_user();
  command.environment = {std::begin(kPlainEnvironment), std::end(kPlainEnvironment)};
  return {};
}

Reload DescribedService::reload_by(const ReloadDescription& how,
                                   const described::SettingsTree& tree) const {
  Reload reload{.signal = instance_.process, .may_cache = how.may_cache};
  if (!instance_.description->loaded.empty() && trust().container.empty()) {
    auto loaded = command_of(instance_.description->loaded, tree, fixed_);
    if (!loaded) return not_now("it cannot be asked what it has loaded", loaded.error());
    reload.loaded = std::move(*loaded);
  }
  switch (how.kind) {
    case ReloadDescription::Kind::signal:
      reload.signal->name = how.signal;
      reload.signal->may_be_blocked = true;
      reload.signal->signal = described::signal_named(how.signal).value_or(0);
      break;
    case ReloadDescription::Kind::command:
      reload.commands.emplace().deadline = how.deadline;
      if (Done added = add_commands(how, tree, *reload.commands); !added)
        return not_now("it cannot be reloaded", added.error());
      break;
    case ReloadDescription::Kind::socket: {
      auto socket = find_socket(how, tree);
      if (!socket) return not_now("it cannot be reloaded", socket.error());
      reload.socket = std::move(*socket);
      break;
    }
    case ReloadDescription::Kind::restart:
      reload.restart_only = how.why;
      break;
    case ReloadDescription::Kind::none:
      reload.per_connection = true;
      break;
  }
  return reload;
}

Result<SocketReload> DescribedService::find_socket(const ReloadDescription& how,
                                                   const described::SettingsTree& tree) const {
  const described::Template fill(tree, fixed_);
  const std::string where = fill.expand(how.socket, 0);
  SocketReload found{.address = {},
                     .say = fill.expand(how.say, 0),
                     .answer = how.answer,
                     .deadline = how.deadline};
  Root root(instance_.root, files_);
  if (where.starts_with('/')) {
    found.address.unix_path = root.on_host(where);
    return found;
  }
  HostNames hosts(root);
  for (described::ListenText& listen : described::parse_addresses(where, "", hosts))
    for (Address& address : listen.addresses) {
      found.address = std::move(address);
      if (found.address.host == "0.0.0.0") found.address.host = "127.0.0.1";
      if (found.address.host == "::") found.address.host = "::1";
      return found;
    }
  return fail(Code::not_found, "find the socket of", id_.text(),
              "'" + printable(where) + "' is neither a path nor HOST:PORT");
}

// Compiled tables come first: what the server loads must be there.
Done DescribedService::add_commands(const ReloadDescription& how,
                                    const described::SettingsTree& tree,
                                    CommandReload& into) const {
  for (const described::CompiledTable& each : tree.compiled) {
    Fixed fixed = fixed_;
    fixed["table"] = each.table;
    auto command = command_of(each.rebuild, tree, fixed);
    if (!command) return pass(command);
    into.commands.push_back(std::move(*command));
  }
  const described::Template fill(tree, fixed_);
  for (const auto& words : how.commands) {
    auto command = command_of(words, tree, fixed_);
    if (!command) return pass(command);
    command->input = fill.expand(how.input, 0);
    if (how.as_root)
      if (Done may = run_as_root(how, *command); !may) return may;
    for (const std::string& each : how.environment)
      set_variable(fill.expand(each, 0), *command->environment);
    into.commands.push_back(std::move(*command));
  }
  return {};
}

OnBadCertificate DescribedService::on_bad_certificate() const {
  return instance_.description->on_bad_certificate;
}

std::optional<UnsafeReload> DescribedService::unsafe_reload() const {
  const described::Description& description = *instance_.description;
  if (description.unit_reload_why.empty()) return std::nullopt;
  return UnsafeReload{description.units, description.unit_reload_why};
}

uint32_t DescribedService::key_reader() const {
  const std::string& reader = instance_.description->key_reader;
  return reader.empty() ? trust().owner : user_called(reader).value_or(0);
}

}  // namespace certrebind
