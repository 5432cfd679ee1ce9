#include "service/haproxy/discover.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "service/haproxy/command_line.h"
#include "service/instances.h"
#include "service/root.h"

namespace certrebind::haproxy {

namespace {

constexpr int kUser2 = 12;  // SIGUSR2
constexpr milliseconds kVersionDeadline{10'000};

constexpr std::array<const char*, 4> kUsualPlaces = {"/usr/sbin/haproxy", "/usr/local/sbin/haproxy",
                                                     "/usr/bin/haproxy",
                                                     "/opt/haproxy/sbin/haproxy"};

constexpr Program kProgram{"haproxy", "an HAProxy", kUsualPlaces, "install HAProxy, or start it"};

// Variables that a master sets for its own re-execution. With them `haproxy -c` would behave as
// that master ("will not start (no listener)").
constexpr std::array<std::string_view, 7> kInternal = {"HAPROXY_MWORKER_WAIT_ONLY",
                                                       "HAPROXY_MWORKER_REEXEC",
                                                       "HAPROXY_PROCESSES",
                                                       "HAPROXY_STARTUP_VERSION",
                                                       "HAPROXY_CLI",
                                                       "HAPROXY_MASTER_CLI",
                                                       "HAPROXY_STARTUPLOGS_FD"};

bool is_internal(std::string_view name) {
  return std::ranges::find(kInternal, name) != kInternal.end();
}

Build ask_build(Commands& commands, const std::string& executable, const std::string& root,
                const Trust& trust) {
  if (!why_not_to_run(trust).empty()) return {};
  auto output = commands.run({.arguments = {executable, "-vv"}, .root = root, .user = trust.owner},
                             kVersionDeadline);
  return output && output->status == 0 ? parse_build(output->output) : Build{};
}

class Finder {
 public:
  Finder(const ProcessTable& processes, Commands& commands, const Files& files,
         std::vector<Diagnostic>& diagnostics)
      : processes_(processes), commands_(commands), files_(files), diagnostics_(diagnostics) {}

  Result<std::vector<Instance>> run() {
    auto all = processes_.named("haproxy");
    if (!all) return pass(all);
    // A script may have the same name, for instance one that starts HAProxy.
    std::erase_if(*all, [](const Process& process) {
      return !process.executable.empty() && !file_name(process.executable).starts_with("haproxy");
    });
    for (const Process& process : *all) by_pid_[process.pid] = &process;
    for (const Process& process : *all) consider(process);
    return std::move(instances_);
  }

 private:
  void consider(const Process& process) {
    if (process.arguments.empty()) return;
    CommandLine line = parse_arguments(process.arguments);
    if (line.one_shot || by_pid_.contains(process.parent)) return;
    if (line.configs.empty()) return;
    Trust trust;
    if (process.is_strangers && !take_at_its_word(process, line, trust)) {
      is_left_to_its_user(kProgram, process, diagnostics_);
      return;
    }
    if (!is_manageable(kProgram, process, diagnostics_)) return;
    if (auto found = instance(process, line)) keep(std::move(*found));
  }

  bool has_worker(const Process& process) const {
    return std::ranges::any_of(
        by_pid_, [&](const auto& entry) { return entry.second->parent == process.pid; });
  }

  bool listens(const Process& process) const {
    auto sockets = processes_.listening_sockets(process.pid);
    return sockets && !sockets->empty();
  }

  std::optional<Instance> instance(const Process& process, const CommandLine& line) {
    // "master-worker" in `global` is equivalent to -W.
    bool master = line.master_worker || has_worker(process);
    if (!master && !listens(process)) return std::nullopt;  // it only finishes old connections
    Instance found;
    found.executable = process.executable;
    found.trust = trust_of(process, files_);
    // HAProxy enters `chroot` after it read the configuration; a master does not enter it at all.
    if (master && !process.root.empty()) found.root = process.root;
    found.started.peer = line.peer;
    Root root(found.root, files_);
    if (!master) found.vouched = take_at_its_word(process, line, found.trust);
    // HAProxy has already changed to the directory of -C.
    found.started.directory = master ? root.inside(process.working_directory).value_or("/")
                                     : directory_of_single(process, line);
    for (const std::string& config : line.configs)
      found.started.paths.push_back(absolute_in(found.started.directory, config));
    // The variables may be those of anybody who started it with root's configuration.
    if (!found.vouched) set_environment(process, found.started);
    auto [build, is_new] = builds_.try_emplace({process.executable, found.trust.owner});
    if (is_new)
      build->second =
          ask_build(commands_, root.inside(process.executable).value_or(process.executable),
                    found.root, found.trust);
    found.started.build = build->second;
    found.master = SignalReload{.signal = kUser2,
                                .name = "USR2",
                                .pid = process.pid,
                                .started = process.started,
                                .workers = {},
                                .workers_listen = Listening::of_their_own};
    if (master) {
      found.user = process.user;
    } else {
      found.restart_only =
          "it runs without a master process (-W), and nothing has it load its files again";
    }
    return found;
  }

  static std::string directory_of_single(const Process& process, const CommandLine& line) {
    return line.directory.starts_with('/') ? line.directory : process.working_directory;
  }

  // The very paths that are read: the configuration, and the directory where its relative paths
  // begin.
  static std::vector<std::string> obeyed_by_single(const Process& process,
                                                   const CommandLine& line) {
    std::vector<std::string> paths = {directory_of_single(process, line)};
    for (const std::string& config : line.configs)
      paths.push_back(absolute_in(directory_of_single(process, line), config));
    return paths;
  }

  // A single process drops root's rights after it has read everything. If all its inputs are
  // root's, it is treated as root's. Then only files that root wrote are read, only programs that
  // root would run are run, and the process is not signalled. Returns true if it is root's for this
  // reason only.
  bool take_at_its_word(const Process& process, const CommandLine& line, Trust& trust) const {
    trust = trust_of(process, files_);
    const bool is_single = !line.master_worker && !has_worker(process) && !process.other_mounts;
    if (!is_single || trust.is_ours() || own_user() != 0 || !trust.unasked.empty()) return false;
    const std::vector<std::string> given = obeyed_by_single(process, line);
    const bool are_there = std::ranges::all_of(
        given, [&](const std::string& path) { return files_.stat(path).has_value(); });
    if (!are_there || !who_else_could_change(files_, given).empty()) return false;
    trust = trust_of_idle(process.executable, files_);
    return true;
  }

  void set_environment(const Process& process, Started& started) {
    auto variables = processes_.environment(process.pid);
    if (!variables)
      return report(Severity::warning, process,
                    "its environment may not be read: run certrebind as root");
    for (const std::string& variable : *variables) {
      size_t equals = variable.find('=');
      if (equals != std::string::npos && !is_internal(variable.substr(0, equals)))
        started.environment[variable.substr(0, equals)] = variable.substr(equals + 1);
    }
  }

  void keep(Instance instance) {
    auto same = std::ranges::find_if(instances_, [&](const Instance& other) {
      return other.started.paths == instance.started.paths && other.root == instance.root &&
             other.trust.owner == instance.trust.owner;
    });
    if (same == instances_.end()) {
      instances_.push_back(std::move(instance));
      return;
    }
    // Anybody can start a process with root's configuration.
    if (same->vouched != instance.vouched) {
      if (same->vouched) *same = std::move(instance);
      return;
    }
    if (same->master->started < instance.master->started) std::swap(*same, instance);
    diagnostics_.push_back(
        {Severity::warning, Root(same->root, files_).on_host(same->started.paths.front()), 0, 0,
         fmt::format("two of them run with this configuration, {} and {}; only {} is looked after",
                     instance.master->pid, same->master->pid, same->master->pid)});
  }

  void report(Severity severity, const Process& process, std::string message) {
    diagnostics_.push_back(about_process(severity, kProgram, process, std::move(message)));
  }

  const ProcessTable& processes_;
  Commands& commands_;
  const Files& files_;
  std::vector<Diagnostic>& diagnostics_;
  std::map<int, const Process*> by_pid_;
  std::map<std::pair<std::string, uint32_t>, Build> builds_;
  std::vector<Instance> instances_;
};

bool uses(const Instance& instance, const std::string& real_config, const Files& files) {
  Root root(instance.root, files);
  return std::ranges::any_of(instance.started.paths, [&](const std::string& path) {
    auto real = root.real_path(path);
    return real && *real == real_config;
  });
}

}  // namespace

Result<std::vector<Instance>> running_instances(const ProcessTable& processes, Commands& commands,
                                                const Files& files,
                                                std::vector<Diagnostic>& diagnostics) {
  return Finder(processes, commands, files, diagnostics).run();
}

Result<Instance> instance_for(const std::string& config, const ProcessTable& processes,
                              Commands& commands, const Files& files,
                              std::vector<Diagnostic>& diagnostics) {
  Search<Instance> search;
  search.running = [&](std::vector<Diagnostic>& of_them) {
    return running_instances(processes, commands, files, of_them);
  };
  search.uses = uses;
  search.processes = [&] { return processes.named("haproxy"); };
  search.configs_of = [](const Process& process) {
    return parse_arguments(process.arguments).configs;
  };
  search.idle = [&](const std::string& executable) {
    Instance idle;
    idle.executable = executable;
    idle.started.paths = {config.starts_with('/') ? config
                                                  : files.real_path(config).value_or(config)};
    idle.trust = trust_of_idle(executable, files);
    idle.started.build = ask_build(commands, executable, "/", idle.trust);
    return idle;
  };
  return instance_with(config, kProgram, search, files, diagnostics);
}

}  // namespace certrebind::haproxy
