#include "daemon/task_program.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "sys/rights.h"
#include "sys/safe_way.h"

namespace certrebind {

namespace {

bool is_program(const Files& files, const std::string& path) {
  auto info = files.stat(path);
  return info && info->kind == FileKind::regular && (info->mode & 0111) != 0;
}

std::string search_path(const Command& command) {
  for (const std::string& variable : *command.environment)
    if (variable.starts_with("PATH=")) return variable.substr(5);
  return "";
}

Result<std::string> found(const Files& files, const Command& command) {
  const std::string& typed = command.arguments.front();
  bool in_path = typed.find('/') == std::string::npos;
  if (typed.starts_with('/') && files.stat(typed)) {
    if (is_program(files, typed)) return typed;
    return fail(Code::not_found, "run", printable(typed), "it is no program that can be run",
                "chmod +x makes a script one");
  }
  if (in_path)
    for (const std::string& directory : split(search_path(command), ':'))
      if (directory.starts_with('/') && is_program(files, directory + "/" + typed))
        return directory + "/" + typed;
  return fail(Code::not_found, "run", printable(typed),
              in_path ? "no such program lies in its PATH" : "there is no such program",
              "give its absolute path");
}

// Debian lets the group staff write below /usr/local, whose programs root runs anyway: they come
// first in its PATH.
Done only_roots(const Files& files, const std::string& path, uint32_t user) {
  SafeWay way(files, user);
  auto staff = is_within(path, "/usr/local") ? group_called("staff") : std::nullopt;
  if (staff) way.trust_group(*staff);
  Done safe = way.to_content(path);
  if (safe) return safe;
  Error error = safe.error();
  error.doing = "run as root";
  error.hint = "let only root change it, and the directories on the way (chown root, chmod go-w)";
  return fail(std::move(error));
}

// Programs that run what their arguments name.
bool runs_its_arguments(std::string name) {
  name.erase(std::ranges::find_if(name, [](char c) { return c >= '0' && c <= '9'; }), name.end());
  static constexpr const char* kThatRunFiles[] = {
      "sh",    "bash",   "dash",    "zsh",         "ksh",     "fish",    "perl",  "ruby", "node",
      "php",   "lua",    "python",  "env",         "nice",    "ionice",  "nohup", "time", "timeout",
      "flock", "setsid", "stdbuf",  "chrt",        "taskset", "chroot",  "xargs", "find", "busybox",
      "su",    "sudo",   "runuser", "systemd-run", "unshare", "nsenter", "awk",   "make"};
  return std::ranges::find(kThatRunFiles, name) != std::end(kThatRunFiles);
}

// The files among the arguments; a relative one begins in "/", where tasks start. What follows "-c"
// is a script in itself, and data for it.
std::vector<std::string> files_in(const Files& files, const Command& command) {
  std::vector<std::string> found;
  for (size_t i = 1; i < command.arguments.size() && command.arguments[i] != "-c"; ++i) {
    const std::string path = absolute_in("/", command.arguments[i]);
    auto info = files.stat(path);
    if (info && info->kind == FileKind::regular) found.push_back(path);
  }
  return found;
}

}  // namespace

Result<std::string> program_of(const Files& files, const Command& command, uint32_t user) {
  auto program = found(files, command);
  if (!program || user != 0) return program;
  if (Done safe = only_roots(files, *program, user); !safe) return pass(safe);
  if (!runs_its_arguments(file_name(*program))) return program;
  for (const std::string& file : files_in(files, command))
    if (Done safe = only_roots(files, file, user); !safe) return pass(safe);
  return program;
}

}  // namespace certrebind
