// Finding the instances of a server program: what is the same for every kind.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/service.h"
#include "sys/files.h"
#include "sys/processes.h"

namespace certrebind {

// A server program, as messages speak of it.
struct Program {
  const char* name;                     // "nginx"
  const char* one;                      // "an nginx"
  std::span<const char* const> places;  // where it is usually installed
  const char* hint;                     // what to do where it is not there
};

// About "/usr/sbin/nginx (process 7)"; by the program's name where the executable is not seen.
Diagnostic about_process(Severity severity, const Program& program, const Process& process,
                         std::string message);

// Whether it is an ordinary user's whom root was not told to look after: then nothing that it says
// of itself counts, but a note for each such user.
bool is_left_to_its_user(const Program& program, const Process& process,
                         std::vector<Diagnostic>& diagnostics);

// Whether it can be looked after from here; why not goes to `diagnostics`.
bool is_manageable(const Program& program, const Process& process,
                   std::vector<Diagnostic>& diagnostics);

// Why it may not be asked how it was built; empty where it may. What is root's own is run only
// where nobody else could have put it there.
std::string why_not_to_run(const Trust& trust);

// Whether a variable ("NAME=value") of a server's environment is obeyed by the loader of programs
// or by libraries, whatever the configuration says (ld.so(8), openssl-env(7), Lua's package.path).
// An environment is data by which a configuration is read: these never reach a program of ours.
bool rules_programs(std::string_view variable);

// The first of its usual places where the program lies. Code::not_found without one.
Result<std::string> find_executable(const Program& program, const Files& files);

// A search for the instance with one configuration file, in a kind's own words.
template <class Instance>
struct Search {
  // Those that run; what there is to say of them goes to the list.
  std::function<Result<std::vector<Instance>>(std::vector<Diagnostic>&)> running;
  std::function<bool(const Instance&, const std::string& real_config)> uses;
  // The processes that may be one, and the configurations that a command line names, as written.
  std::function<Result<std::vector<Process>>()> processes;
  std::function<std::vector<std::string>(const Process&)> configs_of;
  // One that does not run.
  std::function<Instance(const std::string& executable)> idle;
};

// Code::denied where one of these processes may run with it and may not be looked into.
Done none_is_hidden(const Program& program, const std::string& config,
                    const std::string& real_config, const std::vector<Process>& processes,
                    const std::function<std::vector<std::string>(const Process&)>& configs_of,
                    const Files& files);

// Takes a configuration file on this host, as typed. Gives the running instance that uses it, else
// one that does not run. Code::not_found where there is no such file or no such program.
template <class Instance>
Result<Instance> instance_with(const std::string& config, const Program& program,
                               const Search<Instance>& search, const Files& files,
                               std::vector<Diagnostic>& diagnostics) {
  auto real = files.real_path(config);
  if (!real) return pass(real);
  std::vector<Diagnostic> of_others;
  auto running = search.running(of_others);
  if (!running) return pass(running);
  for (Instance& instance : *running)
    if (search.uses(instance, *real)) return std::move(instance);
  auto processes = search.processes();
  if (!processes) return pass(processes);
  Done seen = none_is_hidden(program, config, *real, *processes, search.configs_of, files);
  if (!seen) return pass(seen);
  // What there is to say of others matters only where none of them is the one that was asked for.
  for (Diagnostic& other : of_others)
    if (other.severity != Severity::note) diagnostics.push_back(std::move(other));
  auto executable = find_executable(program, files);
  if (!executable) return pass(executable);
  return search.idle(*executable);
}

}  // namespace certrebind
