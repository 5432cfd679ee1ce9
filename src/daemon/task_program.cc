#include "daemon/task_program.h"

#include <algorithm>

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

bool is_interpreter(std::string name) {
  name.erase(std::ranges::find_if(name, [](char c) { return c >= '0' && c <= '9'; }), name.end());
  static constexpr const char* kThatRunFiles[] = {"sh",   "bash", "dash",   "zsh", "ksh",
                                                  "perl", "ruby", "node",   "php", "lua",
                                                  "env",  "nice", "python", "fish"};
  return std::ranges::find(kThatRunFiles, name) != std::end(kThatRunFiles);
}

// "/bin/sh SCRIPT" runs the script; what follows is data for it. Empty: none, or "-c".
std::string script_in(const Files& files, const Command& command) {
  for (size_t i = 1; i < command.arguments.size(); ++i) {
    const std::string& argument = command.arguments[i];
    if (argument == "-c") return "";
    if (argument.starts_with('/') && files.stat(argument)) return argument;
  }
  return "";
}

}  // namespace

Result<std::string> program_of(const Files& files, const Command& command, uint32_t user) {
  auto program = found(files, command);
  if (!program || user != 0) return program;
  if (Done safe = only_roots(files, *program, user); !safe) return pass(safe);
  std::string script = is_interpreter(file_name(*program)) ? script_in(files, command) : "";
  if (script.empty()) return program;
  if (Done safe = only_roots(files, script, user); !safe) return pass(safe);
  return program;
}

}  // namespace certrebind
