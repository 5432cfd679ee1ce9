#include "service/nginx/discover.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "service/instances.h"
#include "service/nginx/command_line.h"
#include "service/root.h"
#include "sys/rights.h"

namespace certrebind::nginx {

namespace {

constexpr int kHangup = 1;  // SIGHUP
constexpr milliseconds kVersionDeadline{10'000};

constexpr std::array<const char*, 5> kUsualPlaces = {
    "/usr/sbin/nginx", "/usr/local/nginx/sbin/nginx", "/usr/local/sbin/nginx",
    "/usr/local/openresty/nginx/sbin/nginx", "/usr/bin/nginx"};

constexpr Program kProgram{"nginx", "an nginx", kUsualPlaces, "install nginx, or start it"};

// The build options of a program. Unset, with a diagnostic, if the program does not report them.
class Versions {
 public:
  Versions(Commands& commands, std::vector<Diagnostic>& diagnostics)
      : commands_(commands), diagnostics_(diagnostics) {}

  std::optional<BuildDefaults> of(const std::string& executable, const Root& root,
                                  const Trust& trust) {
    auto [known, first] = known_.try_emplace({trust.container + executable, trust.owner});
    if (first) known->second = ask(executable, root, trust);
    return known->second;
  }

 private:
  std::optional<BuildDefaults> ask(const std::string& executable, const Root& root,
                                   const Trust& trust) {
    if (!trust.container.empty()) {
      auto program = files_seen_by(trust.owner, trust.container)
                         ->read(trust.container + executable, kConfigLimit);
      return program ? std::optional(find_build_defaults(*program)) : std::nullopt;
    }
    std::string why = why_not_to_run(trust);
    Result<CommandOutput> output = CommandOutput{};
    if (why.empty())
      output = commands_.run({.arguments = {root.inside(executable).value_or(executable), "-V"},
                              .root = root.directory(),
                              .user = trust.owner},
                             kVersionDeadline);
    if (why.empty() && output && output->status == 0) return parse_build_defaults(output->output);
    if (why.empty())
      why = output ? fmt::format("it ended with status {}", output->status)
                   : output.error().message();
    diagnostics_.push_back({trust.is_ours() ? Severity::warning : Severity::note, executable, 0, 0,
                            "its compiled-in paths are not known: " + printable(why)});
    return std::nullopt;
  }

  Commands& commands_;
  std::vector<Diagnostic>& diagnostics_;
  std::map<std::pair<std::string, uint32_t>, std::optional<BuildDefaults>> known_;
};

// Removes "." and empty components, as a person would write the path. ".." stays, because it may
// follow a link.
std::string tidy(const std::string& path) {
  return path.find("..") == std::string::npos ? normalized(path) : path;
}

class Finder {
 public:
  Finder(Commands& commands, const Files& files, std::vector<Diagnostic>& diagnostics)
      : files_(files), versions_(commands, diagnostics), diagnostics_(diagnostics) {}

  void consider(const Process& process);
  std::vector<Instance> instances() { return std::move(instances_); }

 private:
  std::optional<Instance> instance(const Process& process, const CommandLine& line);
  void keep(Instance instance);
  void report(Severity severity, const Process& process, std::string message) {
    diagnostics_.push_back(about_process(severity, kProgram, process, std::move(message)));
  }

  const Files& files_;
  Versions versions_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<Instance> instances_;
};

void Finder::consider(const Process& process) {
  if (process.arguments.empty()) return;
  if (auto line = parse_master_title(process.arguments.front())) {
    if (is_left_to_its_user(kProgram, process, diagnostics_)) return;
    if (!is_manageable(kProgram, process, diagnostics_)) return;
    if (auto found = instance(process, *line)) keep(std::move(*found));
    return;
  }
  if (process.arguments.front().starts_with("nginx: ")) return;  // a worker or a cache manager
  if (parse_arguments(process.arguments).one_shot) return;       // a running `nginx -t`
  if (is_left_to_its_user(kProgram, process, diagnostics_)) return;
  // A HUP makes a single process load new files, but on 1.22.1 it then resets every connection
  // ("worker connections are not enough"). Only a restart works, and certrebind does not restart
  // servers. A master that is still loading has no title yet and looks the same.
  report(Severity::warning, process,
         "it is starting, or runs as a single process (master_process off), which cannot reload: "
         "restart it yourself after a rebind");
}

// The paths of an instance: its arguments override the compiled-in defaults (ngx_process_options).
std::optional<Instance> Finder::instance(const Process& process, const CommandLine& line) {
  Root root(process.root, files_);
  Instance found;
  found.executable = process.executable;
  found.root = process.root.empty() ? "/" : process.root;
  found.extra_arguments = line.extra;
  found.trust = trust_of(process, files_);
  found.user = process.user;
  found.master = SignalReload{.signal = kHangup,
                              .name = "HUP",
                              .pid = process.pid,
                              .started = process.started,
                              // A worker that shuts down changes its title before it closes its
                              // listeners (ngx_worker_process_cycle).
                              .workers = "nginx: worker process"};
  std::string directory = root.inside(process.working_directory).value_or("/");
  std::optional<BuildDefaults> built;
  if (line.prefix.empty() || line.config.empty())
    built = versions_.of(process.executable, root, found.trust);
  if (!line.prefix.empty()) {
    found.prefix = tidy(absolute_in(directory, line.prefix));
  } else if (built) {
    found.prefix = built->prefix;
  }
  std::string config = !line.config.empty() ? line.config : built ? built->config : "";
  if (config.empty() || (!config.starts_with('/') && found.prefix.empty())) {
    report(found.trust.is_ours() ? Severity::error : Severity::note, process,
           "its configuration file is not known");
    return std::nullopt;
  }
  found.config = tidy(absolute_in(found.prefix, config));
  return found;
}

void Finder::keep(Instance instance) {
  auto same = std::find_if(instances_.begin(), instances_.end(), [&](const Instance& other) {
    return other.config == instance.config && other.root == instance.root &&
           other.trust.owner == instance.trust.owner;
  });
  if (same == instances_.end()) {
    instances_.push_back(std::move(instance));
    return;
  }
  if (same->master->started < instance.master->started) std::swap(*same, instance);
  diagnostics_.push_back(
      {Severity::warning, Root(same->root, files_).on_host(same->config), 0, 0,
       fmt::format("two masters run with this configuration, {} and {}: an upgrade of the binary "
                   "seems to be under way; only {} will be reloaded",
                   instance.master->pid, same->master->pid, same->master->pid)});
}

bool uses(const Instance& instance, const std::string& real_config, const Files& files) {
  auto real = Root(instance.root, files).real_path(instance.config);
  return real && *real == real_config;
}

}  // namespace

Result<std::vector<Instance>> running_instances(const ProcessTable& processes, Commands& commands,
                                                const Files& files,
                                                std::vector<Diagnostic>& diagnostics) {
  auto all = processes.named("nginx");
  if (!all) return pass(all);
  Finder finder(commands, files, diagnostics);
  for (const Process& process : *all) finder.consider(process);
  return finder.instances();
}

Result<Instance> instance_for(const std::string& config, const ProcessTable& processes,
                              Commands& commands, const Files& files,
                              std::vector<Diagnostic>& diagnostics) {
  Search<Instance> search;
  search.running = [&](std::vector<Diagnostic>& of_them) {
    return running_instances(processes, commands, files, of_them);
  };
  search.uses = uses;
  search.processes = [&] { return processes.named("nginx"); };
  search.configs_of = [](const Process& process) -> std::vector<std::string> {
    auto line = parse_master_title(process.arguments.front());
    return line ? std::vector{line->config} : std::vector<std::string>();
  };
  search.idle = [&](const std::string& executable) {
    Instance idle;
    idle.executable = executable;
    idle.config = config;
    Versions versions(commands, diagnostics);
    idle.trust = trust_of_idle(executable, files);
    if (auto built = versions.of(executable, Root("/", files), idle.trust))
      idle.prefix = built->prefix;
    return idle;
  };
  return instance_with(config, kProgram, search, files, diagnostics);
}

}  // namespace certrebind::nginx
