// Finds the instances of a server program: the code common to all kinds.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/service.h"
#include "sys/container.h"
#include "sys/files.h"
#include "sys/processes.h"

namespace certrebind {

// A server program and its names in messages.
struct Program {
  const char* name;                     // "nginx"
  const char* one;                      // "an nginx"
  std::span<const char* const> places;  // usual paths of the executable
  const char* hint;                     // the hint if it is not installed
};

// A diagnostic about "/usr/sbin/nginx (process 7)". Uses the program's name if the executable is
// unknown.
Diagnostic about_process(Severity severity, const Program& program, const Process& process,
                         std::string message);

// True if the process belongs to an ordinary user whose servers root does not manage. Then nothing
// that the process claims counts; each such user gets one note.
bool is_left_to_its_user(const Program& program, const Process& process,
                         std::vector<Diagnostic>& diagnostics);

// True if this process can manage the server. Otherwise adds the reason to `diagnostics`. A server
// in a container is managed from outside by root only, and only `outside`.
bool is_manageable(const Program& program, const Process& process,
                   std::vector<Diagnostic>& diagnostics, bool outside = true);

// Why the program must not be run to query its build options; empty if it may be run. Root's own
// program is run only if nobody else could have put it there.
std::string why_not_to_run(const Trust& trust);

// True if the dynamic loader or a library obeys this variable ("NAME=value") of a server's
// environment, whatever the configuration says (ld.so(8), openssl-env(7), Lua's package.path). We
// use a server's environment as data to read its configuration. These variables are never passed to
// a program that we run.
bool rules_programs(std::string_view variable);

// The first of the usual paths at which the program exists. Code::not_found if there is none.
Result<std::string> find_executable(const Program& program, const Files& files);

// A search for the instance with one configuration file. Each kind supplies these functions.
template <class Instance>
struct Search {
  // The running instances; adds diagnostics to the list.
  std::function<Result<std::vector<Instance>>(std::vector<Diagnostic>&)> running;
  bool (*uses)(const Instance&, const std::string& real_config, const Files& files);
  // The candidate processes, and the configurations that a command line names, as written.
  std::function<Result<std::vector<Process>>()> processes;
  std::function<std::vector<std::string>(const Process&)> configs_of;
  // An instance that does not run.
  std::function<Instance(const std::string& executable)> idle;
};

// Code::denied if one of these processes may use this configuration and cannot be inspected.
Done none_is_hidden(const Program& program, const std::string& config,
                    const std::string& real_config, const std::vector<Process>& processes,
                    const std::function<std::vector<std::string>(const Process&)>& configs_of,
                    const Files& files);

// Takes a configuration file on this host, as typed. Returns the running instance that uses it,
// otherwise an instance that does not run. Code::not_found if the file or the program does not
// exist.
template <class Instance>
Result<Instance> instance_with(const std::string& config, const Program& program,
                               const Search<Instance>& search, const Files& files,
                               std::vector<Diagnostic>& diagnostics) {
  auto real = real_path_anywhere(config, files);
  if (!real) return pass(real);
  std::vector<Diagnostic> of_others;
  auto running = search.running(of_others);
  if (!running) return pass(running);
  for (Instance& instance : *running)
    if (search.uses(instance, *real, files)) return std::move(instance);
  auto processes = search.processes();
  if (!processes) return pass(processes);
  Done seen = none_is_hidden(program, config, *real, *processes, search.configs_of, files);
  if (!seen) return pass(seen);
  // Diagnostics about other instances matter only if the requested instance does not run.
  for (Diagnostic& other : of_others)
    if (other.severity != Severity::note) diagnostics.push_back(std::move(other));
  auto executable = find_executable(program, files);
  if (!executable) return pass(executable);
  return search.idle(*executable);
}

}  // namespace certrebind
