#include "service/apache/discover.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/parallel.h"
#include "base/text.h"
#include "service/apache/command_line.h"
#include "service/instances.h"
#include "service/root.h"

namespace certrebind::apache {

namespace {

constexpr int kUser1 = 10;  // SIGUSR1
constexpr milliseconds kVersionDeadline{10'000};

constexpr std::array<const char*, 2> kProgramNames = {"apache2", "httpd"};

constexpr std::array<const char*, 6> kUsualPlaces = {
    "/usr/sbin/apache2",     "/usr/sbin/httpd", "/usr/local/apache2/bin/httpd",
    "/usr/local/sbin/httpd", "/usr/bin/httpd",  "/opt/apache2/bin/httpd"};

constexpr Program kProgram{"httpd", "an httpd", kUsualPlaces, "install Apache httpd, or start it"};

// The files in which distributions store httpd's start options, by configuration.
struct OptionsFile {
  const char* config;
  const char* path;
  const char* variable;
};
constexpr std::array<OptionsFile, 2> kOptionsFiles = {
    OptionsFile{"/etc/apache2/httpd.conf", "/etc/conf.d/apache2", "APACHE2_OPTS"},
    OptionsFile{"/etc/httpd/conf/httpd.conf", "/etc/sysconfig/httpd", "OPTIONS"}};

// Variables that a service manager sets only for the process that it starts.
constexpr std::array<std::string_view, 6> kManagerVariables = {
    "NOTIFY_SOCKET=",  "LISTEN_FDS=",    "LISTEN_PID=",
    "LISTEN_FDNAMES=", "WATCHDOG_USEC=", "WATCHDOG_PID="};

// The build options of a program. Unset, with a diagnostic, if the program does not report them.
class Builds {
 public:
  Builds(Commands& commands, std::vector<Diagnostic>& diagnostics)
      : commands_(commands), diagnostics_(diagnostics) {}

  std::optional<BuildDefaults> of(const std::string& executable, const Root& root,
                                  const Trust& trust) {
    auto [known, first] = known_.try_emplace({executable, trust.owner});
    if (first) known->second = ask(executable, root, trust);
    return known->second;
  }

 private:
  std::optional<BuildDefaults> ask(const std::string& executable, const Root& root,
                                   const Trust& trust) {
    if (std::string why = why_not_to_run(trust); !why.empty())
      return is_unknown(executable, why, trust);
    std::string program = root.inside(executable).value_or(executable);
    // -V also reads the configuration to find the MPM. It gets an empty one, and complains. Each
    // start of httpd takes longer than reading a thousand files, so both run in parallel.
    const Command asked[] = {
        {.arguments = {program, "-V", "-f", "/dev/null"},
         .root = root.directory(),
         .user = trust.owner},
        {.arguments = {program, "-l"}, .root = root.directory(), .user = trust.owner}};
    Result<CommandOutput> answers[2];
    for_each_index(2, 2, [&](size_t i) { answers[i] = run(asked[i]); });
    auto& [settings, modules] = answers;
    if (settings && modules && settings->output.find("SERVER_CONFIG_FILE") != std::string::npos)
      return parse_build(settings->output, modules->output);
    std::string why = !settings ? settings.error().message()
                      : modules ? fmt::format("-V ended with status {}", settings->status)
                                : modules.error().message();
    return is_unknown(executable, why, trust);
  }

  std::nullopt_t is_unknown(const std::string& executable, const std::string& why,
                            const Trust& trust) {
    diagnostics_.push_back({trust.is_ours() ? Severity::warning : Severity::note, executable, 0, 0,
                            "how it was built is not known: " + printable(why)});
    return std::nullopt;
  }

  Result<CommandOutput> run(const Command& command) {
    return commands_.run(command, kVersionDeadline);
  }

  Commands& commands_;
  std::vector<Diagnostic>& diagnostics_;
  std::map<std::pair<std::string, uint32_t>, std::optional<BuildDefaults>> known_;
};

std::map<std::string, std::string> as_map(const std::vector<std::string>& environment) {
  std::map<std::string, std::string> map;
  for (const std::string& entry : environment)
    if (size_t equals = entry.find('='); equals != std::string::npos)
      map.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  return map;
}

// The configuration inputs from a command line and the compiled-in defaults.
Given given_by(const CommandLine& line, const BuildDefaults& built, const std::string& directory) {
  Given given;
  given.server_root = line.server_root.empty()
                          ? built.server_root
                          : normalized(absolute_in(directory, line.server_root));
  // The compiled-in path is relative to -d as well.
  given.main_file =
      normalized(absolute_in(given.server_root, line.config.empty() ? built.config : line.config));
  given.defines = line.defines;
  given.directives_before = line.directives_before;
  given.directives_after = line.directives_after;
  given.modules = built.modules;
  given.version = built.version;
  return given;
}

class Finder {
 public:
  Finder(const ProcessTable& processes, Commands& commands, const Files& files,
         std::vector<Diagnostic>& diagnostics)
      : processes_(processes),
        files_(files),
        builds_(commands, diagnostics),
        diagnostics_(diagnostics) {}

  void consider(const Process& process);
  std::vector<Instance> instances() { return std::move(instances_); }

 private:
  bool is_single(const Process& process, const CommandLine& line);
  void add(const Process& process, const CommandLine& line);
  void report(Severity severity, const Process& process, std::string message) {
    diagnostics_.push_back(about_process(severity, kProgram, process, std::move(message)));
  }

  const ProcessTable& processes_;
  const Files& files_;
  Builds builds_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<Instance> instances_;
};

void Finder::consider(const Process& process) {
  if (process.arguments.empty()) return;
  CommandLine line = parse_arguments(process.arguments);
  if (line.one_shot || std::ranges::find(line.defines, kRehearsalDefine) != line.defines.end())
    return;
  if (is_left_to_its_user(kProgram, process, diagnostics_)) return;
  // httpd ends if a reload fails, and no test can be run in a container.
  constexpr bool kOutside = false;
  if (is_manageable(kProgram, process, diagnostics_, kOutside) && !is_single(process, line))
    add(process, line);
}

bool Finder::is_single(const Process& process, const CommandLine& line) {
  auto is = [](const std::string& name) { return name == "ONE_PROCESS" || name == "DEBUG"; };
  if (!std::ranges::any_of(line.defines, is)) return false;
  report(Severity::warning, process,
         "it runs as a single process (-X), which cannot reload: restart it yourself");
  return true;
}

void Finder::add(const Process& process, const CommandLine& line) {
  Root root(process.root, files_);
  Trust trust = trust_of(process, files_);
  auto built = builds_.of(process.executable, root, trust);
  if (!built) return;
  auto environment = processes_.environment(process.pid);
  if (!environment)
    return report(Severity::error, process,
                  "its environment may not be read: run certrebind as root");
  Instance found;
  found.executable = process.executable;
  found.root = process.root.empty() ? "/" : process.root;
  found.given = given_by(line, *built, root.inside(process.working_directory).value_or("/"));
  found.environment = std::move(*environment);
  found.given.environment = as_map(found.environment);
  std::erase_if(found.environment, [](const std::string& entry) {
    return rules_programs(entry) ||
           std::ranges::any_of(kManagerVariables,
                               [&](std::string_view name) { return entry.starts_with(name); });
  });
  found.environment.emplace_back(kPlainEnvironment[0]);  // PATH, for passphrase programs
  found.trust = std::move(trust);
  found.user = process.user;
  found.master = SignalReload{.signal = kUser1,
                              .name = "USR1",
                              .pid = process.pid,
                              .started = process.started,
                              .workers = "",
                              .workers_listen = Listening::of_master};
  instances_.push_back(std::move(found));
}

// Masters only. Children have the same name, arguments and program.
Result<std::vector<Process>> masters(const ProcessTable& processes) {
  std::vector<Process> all;
  for (const char* name : kProgramNames) {
    auto named = processes.named(name);
    if (!named) return pass(named);
    for (Process& process : *named)
      if (std::ranges::find(all, process.pid, &Process::pid) == all.end())
        all.push_back(std::move(process));
  }
  std::vector<Process> found;
  for (const Process& process : all)
    if (std::ranges::find(all, process.parent, &Process::pid) == all.end())
      found.push_back(process);
  return found;
}

bool uses(const Instance& instance, const std::string& real_config, const Files& files) {
  auto real = Root(instance.root, files).real_path(instance.given.main_file);
  return real && *real == real_config;
}

// The ServerRoot for starting an instance that does not run: the directory in which the main file
// has its compiled-in name. Debian starts additional instances so: -d /etc/apache2-foo.
std::string server_root_for(const std::string& config, const BuildDefaults& built) {
  std::string within = "/" + built.config;
  if (built.config.starts_with('/') || !config.ends_with(within)) return built.server_root;
  std::string root = config.substr(0, config.size() - within.size());
  return root.empty() ? "/" : root;
}

// The variables that Debian's apache2ctl passes to envvars, and their values for an additional
// instance.
std::map<std::string, std::string> given_to_envvars(const std::string& directory) {
  constexpr std::string_view kFurther = "/etc/apache2-";
  std::map<std::string, std::string> given = {{"APACHE_CONFDIR", directory}};
  if (directory.starts_with(kFurther)) given["SUFFIX"] = "-" + directory.substr(kFurther.size());
  return given;
}

// Debian stores the environment beside the configuration; other distributions store options.
void add_settings(const std::string& config, const Files& files, CommandLine& line,
                  std::vector<std::string>& environment) {
  environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  const std::string directory = parent_directory(config);
  auto envvars = files.read(directory + "/envvars", kConfigLimit);
  if (envvars) {
    environment.push_back("APACHE_CONFDIR=" + directory);
    for (std::string& entry : parse_envvars(*envvars, given_to_envvars(directory)))
      environment.push_back(std::move(entry));
  }
  for (const OptionsFile& options : kOptionsFiles) {
    auto text = config == options.config ? files.read(options.path, kConfigLimit)
                                         : Result<std::string>(std::string());
    if (!text) continue;
    for (const std::string& entry :
         parse_envvars("export " + join(split(*text, '\n'), "\nexport ")))
      if (entry.starts_with(std::string(options.variable) + "="))
        line = parse_arguments(split("httpd " + entry.substr(entry.find('=') + 1), ' '));
  }
}

}  // namespace

Result<std::vector<Instance>> running_instances(const ProcessTable& processes, Commands& commands,
                                                const Files& files,
                                                std::vector<Diagnostic>& diagnostics) {
  auto all = masters(processes);
  if (!all) return pass(all);
  Finder finder(processes, commands, files, diagnostics);
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
  search.processes = [&] { return masters(processes); };
  search.configs_of = [](const Process& process) {
    return std::vector{parse_arguments(process.arguments).config};
  };
  search.idle = [&](const std::string& executable) {
    Instance idle;
    idle.executable = executable;
    Builds builds(commands, diagnostics);
    idle.trust = trust_of_idle(executable, files);
    BuildDefaults built =
        builds.of(executable, Root("/", files), idle.trust).value_or(BuildDefaults{});
    CommandLine line;
    add_settings(config, files, line, idle.environment);
    line.config = config;
    if (line.server_root.empty()) line.server_root = server_root_for(config, built);
    idle.given = given_by(line, built, "/");
    idle.given.environment = as_map(idle.environment);
    return idle;
  };
  return instance_with(config, kProgram, search, files, diagnostics);
}

}  // namespace certrebind::apache
