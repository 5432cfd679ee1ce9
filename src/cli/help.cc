#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/output.h"

namespace certrebind {

namespace {

int help(const std::vector<std::string>& words) {
  auto text = help_of(words);
  if (!text) return report(text.error());
  print_json({{"help", *text}});
  if (!answers_in_json()) print(*text);
  return kDone;
}

}  // namespace

CommandSpec help_command() {
  auto words = std::make_shared<std::vector<std::string>>();
  return {.name = "help",
          .summary = "help on a command, or on the program",
          .options = {{"command", words.get(), "the command, as: help task add", "COMMAND"}},
          .footer = "Example:\n  certrebind help rebind",
          .run_alone = [words] { return help(*words); },
          .pages = true};
}

}  // namespace certrebind
