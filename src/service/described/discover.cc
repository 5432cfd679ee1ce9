#include "service/described/discover.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "service/described/bindings.h"
#include "service/described/builtin.h"
#include "service/described/read_settings.h"
#include "service/instances.h"
#include "sys/container.h"
#include "sys/rights.h"

namespace certrebind::described {

namespace {

using Shared = std::shared_ptr<const Description>;

bool is_known_user(const Description& description, uint32_t user) {
  return std::ranges::any_of(description.users,
                             [&](const std::string& name) { return user_called(name) == user; });
}

// An executable is described by its file name, or by the end of its path: "postfix/sbin/master".
// Where it is an interpreter's, an argument tells which program it runs.
bool runs(const Description& description, const Process& process) {
  std::string_view wanted_argument = description.argument;
  const bool is_unwanted = wanted_argument.starts_with('!');
  if (is_unwanted) wanted_argument.remove_prefix(1);
  const bool has_it =
      std::ranges::find(process.arguments, wanted_argument) != process.arguments.end();
  if (!wanted_argument.empty() && has_it == is_unwanted) return false;
  return std::ranges::any_of(description.executables, [&](const std::string& wanted) {
    return process.executable == wanted || process.executable.ends_with("/" + wanted);
  });
}

// "-c FILE", "-cFILE", "--config=FILE", "config_file=FILE"; "*" is the first argument that is no
// option. Empty if none is given.
std::string configuration_in(const std::vector<std::string>& arguments,
                             const std::vector<std::string>& options) {
  for (const std::string& option : options)
    for (size_t i = 1; i < arguments.size(); ++i) {
      const std::string& argument = arguments[i];
      if (option == "*") {
        if (!argument.starts_with('-')) return argument;
      } else if (argument == option) {
        if (i + 1 < arguments.size()) return arguments[i + 1];
      } else if (argument.starts_with(option)) {
        std::string rest = argument.substr(option.size());
        if (option.ends_with('=')) return rest;
        if (rest.starts_with('=')) return rest.substr(1);
        if (option.size() == 2 && option.front() == '-') return rest;
      }
    }
  return "";
}

// Whether the process's systemd unit is one of the description's.
bool is_in_unit(const Description& description, const Process& process, const ProcessTable& table) {
  const std::string unit = table.unit(process.pid);
  return std::ranges::any_of(description.units, [&](const std::string& wanted) {
    return fits(wanted + ".service", unit);
  });
}

class Finder {
 public:
  Finder(const Host& host, std::vector<Diagnostic>& diagnostics)
      : host_(host), diagnostics_(diagnostics) {}

  Result<std::vector<Instance>> run(const Descriptions& descriptions) {
    auto processes = processes_of(descriptions);
    if (!processes) return pass(processes);
    for (const Process& process : *processes)
      for (const Shared& description : descriptions)
        if (is_instance(*description, process, *processes)) consider(description, process);
    for (const Shared& description : descriptions)
      if (description->on_demand && !has_instance(description))
        if (Instance found = idle(description, usual(*description, {})); found.process)
          instances_.push_back(std::move(found));
    return std::move(instances_);
  }

  // `configuration` is real. The process that names it, or that listens where it says.
  Result<Instance> with(const Shared& description, const std::string& configuration) {
    auto processes = processes_of({description});
    if (!processes) return pass(processes);
    std::vector<Instance> candidates;
    for (const Process& process : *processes) {
      if (!is_instance(*description, process, *processes) || !may_manage(*description, process))
        continue;
      std::string named = named_by(*description, process);
      if (named.empty() && process.other_mounts) named = usual(*description, process);
      auto real = process.other_mounts
                      ? files_seen_by(process.owner, process.root)->real_path(process.root + named)
                      : host_.files.real_path(named);
      if (real ? *real != configuration : process.other_mounts) continue;
      Instance perhaps = instance(description, process, real ? named : configuration);
      if (real || listens_as_configured(perhaps)) candidates.push_back(std::move(perhaps));
    }
    // Root's process comes before one of a user that names the same configuration.
    auto best =
        std::ranges::find_if(candidates, [](const Instance& each) { return each.trust.is_ours(); });
    if (best == candidates.end()) best = candidates.begin();
    if (best != candidates.end()) return std::move(*best);
    return idle(description, configuration);
  }

 private:
  Instance idle(const Shared& description, const std::string& configuration) const {
    Instance idle{.description = description,
                  .executable = program_of(*description),
                  .configuration = configuration};
    idle.trust = trust_of_idle(idle.executable, host_.files);
    if (description->on_demand && !configuration.empty()) idle.process = process_that_waits(idle);
    return idle;
  }

  // On this host, not in a container.
  bool has_instance(const Shared& description) const {
    return std::ranges::any_of(instances_, [&](const Instance& instance) {
      return instance.description == description && instance.trust.container.empty();
    });
  }

  // A server that no client has started is there all the same, if a process of root listens for it
  // where its configuration says.
  std::optional<SignalReload> process_that_waits(const Instance& instance) const {
    auto found = DescribedService(instance, host_.files, host_.commands).bindings();
    if (!found) return std::nullopt;
    for (const Binding& binding : found->bindings)
      for (const Endpoint& endpoint : binding.endpoints)
        if (auto process = listening_root(endpoint.address)) {
          SignalReload waits;
          waits.pid = process->pid;
          waits.started = process->started;
          return waits;
        }
    return std::nullopt;
  }

  std::optional<Process> listening_root(const Address& address) const {
    auto listeners = host_.processes.listeners_at(own_pid(), address);
    std::set<uint64_t> sockets;
    if (listeners)
      for (const ListeningSocket& socket : *listeners) sockets.insert(socket.inode);
    if (sockets.empty()) return std::nullopt;
    if (auto holders = host_.processes.holders(sockets))
      for (SocketHolder& holder : *holders)
        if (holder.process.owner == 0 && !holder.process.other_mounts)
          return std::move(holder.process);
    return std::nullopt;
  }

  Result<std::vector<Process>> processes_of(const Descriptions& descriptions) const {
    std::set<std::string> names;
    for (const Shared& description : descriptions)
      for (const std::string& executable : description->executables)
        names.insert(file_name(executable));
    return host_.processes.running(names);
  }

  bool is_instance(const Description& description, const Process& process,
                   const std::vector<Process>& all) const {
    return runs(description, process) && !is_child(description, process, all) &&
           (!description.only_in_units || is_in_unit(description, process, host_.processes));
  }

  static bool is_child(const Description& description, const Process& process,
                       const std::vector<Process>& all) {
    return std::ranges::any_of(all, [&](const Process& other) {
      return other.pid == process.parent && runs(description, other);
    });
  }

  bool may_manage(const Description& description, const Process& process) {
    const std::string one = "a server of " + description.title;
    const Program program{description.kind.c_str(), one.c_str(), {}, ""};
    if (process.is_strangers && !is_known_user(description, process.owner))
      return !is_left_to_its_user(program, process, diagnostics_);
    return is_manageable(program, process, diagnostics_);
  }

  void consider(const Shared& description, const Process& process) {
    if (process.arguments.empty() || !may_manage(*description, process)) return;
    const std::string named = named_by(*description, process);
    const bool is_named = !named.empty() && look_at(process, named).has_value();
    const std::string path = is_named ? named : usual(*description, process);
    if (path.empty()) return unnamed(*description, process);
    Instance found = instance(description, process, path);
    if (!is_named && !listens_as_configured(found)) return unnamed(*description, process);
    keep(std::move(found));
  }

  // Anybody can start a process that names a configuration of somebody else, or of another process
  // of his. Of several of one owner the one that listens there counts. In another root directory
  // the same name is another file.
  void keep(Instance found) {
    auto same = std::ranges::find_if(instances_, [&](const Instance& other) {
      return other.description == found.description && other.configuration == found.configuration &&
             other.trust.owner == found.trust.owner && other.root == found.root;
    });
    if (same == instances_.end()) {
      instances_.push_back(std::move(found));
    } else if (!listens_as_configured(*same)) {
      *same = std::move(found);
    }
  }

  void unnamed(const Description& description, const Process& process) {
    diagnostics_.push_back(
        {Severity::note, fmt::format("{} (process {})", process.executable, process.pid), 0, 0,
         fmt::format("it does not say which configuration it uses; next: name it, --service "
                     "{}:PATH",
                     description.kind)});
  }

  // Absolute, inside the root; empty if the process names none.
  std::string named_by(const Description& description, const Process& process) const {
    std::string named = configuration_in(process.arguments, description.options);
    if (named.empty() && !description.environment.empty())
      if (auto variables = host_.processes.environment(process.pid))
        for (const std::string& variable : *variables)
          if (variable.starts_with(description.environment + "="))
            named = variable.substr(description.environment.size() + 1);
    if (named.empty()) return "";
    const std::string directory = process.other_mounts
                                      ? process.working_directory.substr(process.root.size())
                                      : process.working_directory;
    return file_at(description, process, absolute_in(directory, named));
  }

  // A path as the process means it.
  Result<FileInfo> look_at(const Process& process, const std::string& path) const {
    if (!process.other_mounts) return host_.files.stat(path);
    return files_seen_by(process.owner, process.root)->stat(process.root + path);
  }

  std::string file_at(const Description& description, const Process& process,
                      const std::string& path) const {
    if (description.file_in_directory.empty()) return path;
    auto info = look_at(process, path);
    const bool is_directory = info && info->kind == FileKind::directory;
    return is_directory ? path + "/" + description.file_in_directory : path;
  }

  std::string usual(const Description& description, const Process& process) const {
    for (const std::string& path : description.usual)
      if (look_at(process, path)) return path;
    return "";
  }

  std::string program_of(const Description& description) const {
    for (const std::string& path : description.programs)
      if (host_.files.stat(path)) return path;
    return "";
  }

  Instance instance(const Shared& description, const Process& process,
                    const std::string& configuration) const {
    Instance found{.description = description,
                   .executable = process.executable,
                   .root = process.root.empty() ? "/" : process.root,
                   .configuration = configuration,
                   .arguments = process.arguments};
    found.process.emplace();
    found.process->pid = process.pid;
    found.process->started = process.started;
    found.environment = environment_of(process);
    found.trust = is_still_root(process) ? trust_of_idle(process.executable, host_.files)
                                         : trust_of(process, host_.files);
    if (found.trust.container.empty())
      found.trust.owner_writes =
          !found.trust.is_ours() && is_known_user(*description, process.owner);
    return found;
  }

  // Squid's main process has given away its real user id only, and ProFTPD's its effective one. No
  // user gets one of root's but by a set-user-ID program.
  bool is_still_root(const Process& process) const {
    constexpr uint32_t kSetUserId = 04000;
    auto program = host_.files.stat(process.executable);
    return !process.other_mounts && process.keeps_root && program &&
           (program->mode & kSetUserId) == 0;
  }

  // Configurations may name variables of the process. Those that rule a program are left out.
  std::vector<std::string> environment_of(const Process& process) const {
    std::vector<std::string> variables(std::begin(kPlainEnvironment), std::end(kPlainEnvironment));
    if (auto theirs = host_.processes.environment(process.pid))
      for (std::string& variable : *theirs)
        if (!rules_programs(variable)) variables.push_back(std::move(variable));
    return variables;
  }

  // A configuration without TLS names no port that tells.
  bool listens_as_configured(const Instance& instance) const {
    const std::unique_ptr<const Files> theirs =
        instance.trust.is_ours() ? nullptr
                                 : files_seen_by(instance.trust.owner, instance.trust.container);
    DescribedService service(instance, theirs ? *theirs : host_.files, host_.commands);
    service.set_trust(instance.trust);
    auto found = service.bindings();
    const int pid = instance.process->pid;
    auto ports = host_.processes.listening_ports(std::span(&pid, 1));
    if (!ports && ports.error().code == Code::unsupported) return found.has_value();
    if (!found || !ports) return false;
    std::set<uint16_t> configured;
    for (const Binding& binding : found->bindings)
      for (const Endpoint& endpoint : binding.endpoints) configured.insert(endpoint.address.port);
    return configured.empty() ||
           std::ranges::any_of(configured, [&](uint16_t port) { return ports->contains(port); });
  }

  const Host& host_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<Instance> instances_;
};

void add_of_administrator(const Host& host, Descriptions& into,
                          std::vector<Diagnostic>& diagnostics) {
  auto names = host.files.list(host.descriptions);
  if (!names) return;
  for (const std::string& name : *names) {
    if (!name.ends_with(".toml") || name.starts_with('.')) continue;
    auto description = read_description(host, host.descriptions + "/" + name);
    if (!description) {
      const Error& error = description.error();
      diagnostics.push_back({Severity::error, error.subject, 0, 0,
                             error.cause + (error.hint.empty() ? "" : "; next: " + error.hint)});
      continue;
    }
    std::erase_if(into, [&](const Shared& other) { return other->kind == description->kind; });
    into.push_back(std::make_shared<const Description>(std::move(*description)));
  }
}

}  // namespace

Result<Description> read_description(const Host& host, const std::string& path) {
  if (std::string who = who_else_could_change(host.files, {path}); !who.empty())
    return fail(Code::denied, "use", path, who,
                "let only root change that (chown root, chmod go-w)");
  auto text = host.files.read(path, kPemLimit);
  if (!text) return pass(text);
  return parse_description(path, *text);
}

Descriptions all_descriptions(const Host& host, std::vector<Diagnostic>& diagnostics) {
  Descriptions all;
  for (const BuiltinDescription& builtin : builtin_descriptions()) {
    auto description = parse_description(builtin.file, builtin.text);
    if (description) {
      all.push_back(std::make_shared<const Description>(std::move(*description)));
    } else {
      diagnostics.push_back(
          {Severity::error, description.error().subject, 0, 0, description.error().cause});
    }
  }
  if (!host.descriptions.empty()) add_of_administrator(host, all, diagnostics);
  return all;
}

Result<std::vector<Instance>> running_instances(const Descriptions& descriptions, const Host& host,
                                                std::vector<Diagnostic>& diagnostics) {
  return Finder(host, diagnostics).run(descriptions);
}

Result<Instance> instance_for(const std::shared_ptr<const Description>& description,
                              const std::string& configuration, const Host& host,
                              std::vector<Diagnostic>& diagnostics) {
  auto real = real_path_anywhere(configuration, host.files);
  if (!real) return pass(real);
  return Finder(host, diagnostics).with(description, *real);
}

}  // namespace certrebind::described
