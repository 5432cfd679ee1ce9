// A command as a record of its options and its function. Only command_line.cc uses the parser
// library.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "cli/context.h"

namespace certrebind {

// The error in a value; empty: none.
using OptionCheck = std::function<std::string(const std::string& typed)>;

enum class Need { optional, required };

// A name without dashes is a positional argument.
struct CommandOption {
  // Where to store the value. A bool makes it a flag, a vector makes it repeatable.
  using Target = std::variant<bool*, int*, int64_t*, size_t*, std::string*, std::vector<int>*,
                              std::vector<std::string>*>;

  std::string name;  // "--last,-n"
  Target target;
  std::string help = {};  // empty: not listed by --help
  std::string type = {};  // "FILE"; empty for a flag
  Need need = Need::optional;
  OptionCheck check = {};
  std::string excludes = {};  // an option of the same command, defined before this one
};

struct CommandSpec {
  std::string name;
  std::string summary;  // the line in the parent's --help
  std::vector<CommandOption> options = {};
  std::string footer = {};  // examples and exit codes; empty: the program's
  std::vector<CommandSpec> subcommands = {};
  std::function<int(Context&)> run = {};  // returns the exit code
  std::function<int()> run_alone = {};    // instead of `run`: needs neither settings nor a host
  bool takes_services = true;             // accepts --service; read at the first level only
  bool bears_mistakes = false;  // runs although certrebind.toml has a mistake; first level only
  bool pages = false;           // what it prints may go through the pager
  bool hidden = false;          // not listed by --help; for other programs of ours
};

// The number of a record, as histories and events print it.
std::string record_number(const std::string& typed);
OptionCheck in_range(int least, int most);

// The commands; each is defined in its own file.
CommandSpec check_command(), scan_command(), certificates_command(), show_command(),
    explain_command(), plan_command(), rebind_command(), undo_command(), restore_command(),
    recover_command(), renew_command(), autoenroll_command(), history_command(), events_command(),
    enable_command(), disable_command(), switch_command(), status_command(), forget_command(),
    daemon_command(), task_command(), metrics_command(), notify_command(), config_command(),
    doctor_command(), import_command(), request_command(), requests_command(), complete_command(),
    self_signed_command(), export_command(), remove_command(), service_command(), help_command(),
    words_command();

// The --help of a command, given as its words; of the program for none. Code::usage for words that
// are no command.
Result<std::string> help_of(const std::vector<std::string>& words);

}  // namespace certrebind
