#include "service/instances.h"

#include <fmt/format.h>

#include <algorithm>

namespace certrebind {

Diagnostic about_process(Severity severity, const Program& program, const Process& process,
                         std::string message) {
  std::string name = process.executable.empty() ? program.name : process.executable;
  return {severity, fmt::format("{} (process {})", name, process.pid), 0, 0, std::move(message)};
}

bool is_left_to_its_user(const Program& program, const Process& process,
                         std::vector<Diagnostic>& diagnostics) {
  if (!process.is_strangers) return false;
  std::string message = fmt::format(
      "user {} runs {}: root leaves it to that user, who can run certrebind; to have root look "
      "after it with that user's rights, name the user in certrebind.toml: [servers] users",
      process.owner, program.one);
  if (std::ranges::find(diagnostics, message, &Diagnostic::message) == diagnostics.end())
    diagnostics.push_back({Severity::note, program.name, 0, 0, std::move(message)});
  return true;
}

bool is_manageable(const Program& program, const Process& process,
                   std::vector<Diagnostic>& diagnostics, bool outside) {
  if (process.other_mounts && (!outside || own_user() != 0)) {
    diagnostics.push_back(about_process(
        Severity::note, program, process,
        "it runs in a container (another mount namespace): run certrebind inside it"));
    return false;
  }
  if (!process.executable.empty()) return true;
  diagnostics.push_back(about_process(Severity::error, program, process,
                                      "it may not be looked into: run certrebind as root"));
  diagnostics.back().hidden = true;
  return false;
}

std::string why_not_to_run(const Trust& trust) {
  return trust.unasked.empty() ? "" : "it is not run: " + trust.unasked;
}

bool rules_programs(std::string_view variable) {
  constexpr std::string_view kBeginnings[] = {
      "LD_",      "GLIBC_",   "GCONV_", "MALLOC_", "OPENSSL_", "SSL_CERT_", "LUA_",   "LUAJIT_",
      "PERL",     "PYTHON",   "RUBY",   "NODE_",   "BASH_",    "ASAN_",     "NGINX=", "PATH=",
      "LOCPATH=", "NLSPATH=", "TZDIR=", "TMPDIR=", "HOME=",    "ENV=",      "IFS=",   "SHELLOPTS="};
  return std::ranges::any_of(
      kBeginnings, [&](std::string_view beginning) { return variable.starts_with(beginning); });
}

Result<std::string> find_executable(const Program& program, const Files& files) {
  for (const char* place : program.places) {
    auto info = files.stat(place);
    if (info && info->kind == FileKind::regular) return std::string(place);
  }
  return fail(Code::not_found, "find", program.name, "it is in none of the usual places",
              program.hint);
}

Done none_is_hidden(const Program& program, const std::string& config,
                    const std::string& real_config, const std::vector<Process>& processes,
                    const std::function<std::vector<std::string>(const Process&)>& configs_of,
                    const Files& files) {
  // A process whose configuration is relative to an unknown directory, or not visible, may be any
  // instance.
  auto may_be_it = [&](const std::string& named) {
    if (!named.starts_with('/')) return true;
    auto real = files.real_path(named);
    return real && *real == real_config;
  };
  for (const Process& process : processes) {
    if (!process.executable.empty() || process.arguments.empty()) continue;
    if (own_user() == 0 && process.owner != 0)
      continue;  // another user's process cannot hide root's servers from root
    if (std::ranges::none_of(configs_of(process), may_be_it)) continue;
    return fail(
        Code::denied, "tell whether it runs:", config,
        fmt::format("process {} is {} that may not be looked into", process.pid, program.one),
        "run certrebind as root");
  }
  return {};
}

}  // namespace certrebind
