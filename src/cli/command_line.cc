#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/number.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/suggestion.h"
#include "cli/version.h"

namespace certrebind {

namespace {

constexpr const char* kAbout =
    "certrebind: when a TLS certificate is renewed, every site that used the old\n"
    "one serves the new one, proven by handshakes, or everything is as it was.\n";

constexpr const char* kFooter =
    "Examples:\n"
    "  certrebind check                     what is configured, on disk and served; changes "
    "nothing\n"
    "  certrebind plan 1a2b3c4d new.pem     what a rebind would do\n"
    "  certrebind rebind 1a2b3c4d new.pem   do it, prove it, or put everything back\n"
    "\n"
    "Exit codes: 0 done or nothing to do; 1 something differs or was refused;\n"
    "2 usage; 3 rolled back; 4 needs operator.\n"
    "check: 0 ok, 1 warning, 2 critical, 3 unknown.";

std::vector<CommandOption> global_options(GlobalOptions& globals) {
  return {
      {"--config", &globals.config,
       "configuration file (CERTREBIND_CONFIG; /etc/certrebind/certrebind.toml)", "FILE"},
      {"--state", &globals.state, "state directory (CERTREBIND_STATE; /var/lib/certrebind)", "DIR"},
      {"--run", &globals.run, "run directory (CERTREBIND_RUN; /run/certrebind)", "DIR"},
      {"--service", &globals.services,
       "only this service, running or not: nginx:/etc/nginx/nginx.conf, "
       "apache:/etc/apache2/apache2.conf, haproxy:/etc/haproxy/haproxy.cfg; repeatable",
       "KIND:PATH"},
      {"--json", &globals.json, "print JSON"},
      {"--verbose", &globals.verbose, "name every endpoint that failed, not only the first few"},
      {"--no-pager", &globals.no_pager, "print long output at once, without a pager"}};
}

// In the order of --help.
std::vector<CommandSpec> all_commands() {
  return {
      check_command(),    scan_command(),        certificates_command(), show_command(),
      explain_command(),  plan_command(),        rebind_command(),       undo_command(),
      restore_command(),  recover_command(),     renew_command(),        autoenroll_command(),
      history_command(),  events_command(),      enable_command(),       disable_command(),
      switch_command(),   status_command(),      forget_command(),       daemon_command(),
      task_command(),     metrics_command(),     notify_command(),       config_command(),
      doctor_command(),   import_command(),      request_command(),      requests_command(),
      complete_command(), self_signed_command(), export_command(),       remove_command(),
      service_command(),  help_command(),        words_command(),
  };
}

void add_option(CLI::App& app, const CommandOption& option) {
  CLI::Option* added = std::visit(
      [&](auto* target) {
        if constexpr (std::is_same_v<decltype(target), bool*>)
          return app.add_flag(option.name, *target, option.help);
        else
          return app.add_option(option.name, *target, option.help)->type_name(option.type);
      },
      option.target);
  // One value per use, otherwise a repeatable option swallows a following "--".
  if (!added->get_positional() && added->get_expected_max() > 1)
    added->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
  added->required(option.need == Need::required);
  if (option.check) added->check(option.check);
  if (!option.excludes.empty()) added->excludes(app.get_option(option.excludes));
  if (option.help.empty()) added->group("");
}

void add_command(CLI::App& parent, const CommandSpec& spec, const CommandSpec*& chosen) {
  CLI::App* command = parent.add_subcommand(spec.name, spec.summary);
  for (const CommandOption& option : spec.options) add_option(*command, option);
  for (const CommandSpec& each : spec.subcommands) add_command(*command, each, chosen);
  if (!spec.run && !spec.run_alone) command->require_subcommand(1);
  if (spec.hidden) command->group("");
  if (!spec.footer.empty()) command->footer(spec.footer);
  command->callback([command, &spec, &chosen] {
    if (command->get_subcommands().empty()) chosen = &spec;
  });
}

// Tells what is wrong with the command line, and what to run next.
int refuse(const std::string& message, const std::string& next) {
  print_error(message + "\n" + next);
  note_failure({.message = message, .next = next});
  return kUsage;
}

// Monitoring reads 1 and 2 from `check` as results; a `check` that could not run is "unknown".
int not_run(const CLI::App& app, int code) {
  return app.got_subcommand("check") ? kUnknown : code;
}

using Specs = std::vector<CommandSpec>;

const CommandSpec* find_spec(const Specs& specs, const std::string& name) {
  auto found = std::ranges::find(specs, name, &CommandSpec::name);
  return found == specs.end() ? nullptr : &*found;
}

std::vector<std::string> names_of(const Specs& specs) {
  std::vector<std::string> names;
  for (const CommandSpec& spec : specs)
    if (!spec.hidden) names.push_back(spec.name);
  return names;
}

// "--limit", "-n": of all these options.
std::vector<std::string> names_of(const std::vector<CommandOption>& options) {
  std::vector<std::string> names;
  for (const CommandOption& option : options)
    if (option.name.starts_with('-'))
      std::ranges::move(split(option.name, ','), std::back_inserter(names));
  return names;
}

// The first word that was not understood, and what it may mean.
std::string suggestion_for(const CLI::App& app, const CommandSpec& spec) {
  const std::vector<std::string> left = app.remaining(true);
  if (left.empty()) return "";
  GlobalOptions unused;
  std::vector<std::string> known = names_of(spec.options);
  std::ranges::move(names_of(global_options(unused)), std::back_inserter(known));
  std::ranges::move(names_of(spec.subcommands), std::back_inserter(known));
  return did_you_mean(left.front(), known);
}

int report_typed(const CLI::App& app, const Specs& specs, const CLI::ParseError& error) {
  std::string command = "certrebind";
  const CommandSpec* spec = nullptr;
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    spec = find_spec(spec == nullptr ? specs : spec->subcommands, at->get_name());
    command += " " + at->get_name();
  }
  std::string message = command + ": " + printable(error.what());
  const std::string meant = spec == nullptr ? "" : suggestion_for(app, *spec);
  if (!meant.empty()) message += "; " + meant;
  return refuse(message, command + " --help says more");
}

int report_unknown_command(const std::string& typed, const Specs& specs) {
  const std::string meant = did_you_mean(typed, names_of(specs));
  return refuse(fmt::format("certrebind: there is no command '{}'{}", printable(typed),
                            meant.empty() ? "" : "; " + meant),
                "certrebind --help lists them");
}

// What was asked of the program itself: its help, its version.
int tell(const char* what, const std::string& text) {
  if (answers_in_json())
    print_json({{what, text}});
  else
    print(text.ends_with('\n') ? text : text + "\n");
  return kDone;
}

int run_chosen(const CLI::App& app, const GlobalOptions& globals, const CommandSpec& command,
               const CommandSpec& chosen) {
  if (!globals.services.empty() && !command.takes_services)
    return report({Code::usage, "use", "--service with " + command.name,
                   "this command is about the whole machine",
                   "what is to be left alone, and how, says a [[policy]]: man certrebind.toml"});
  auto context =
      Context::create(globals, command.bears_mistakes ? Mistakes::are_borne : Mistakes::end_it);
  // A monitoring system shows standard output only.
  if (!context && app.got_subcommand("check") && !answers_in_json())
    print_whole("UNKNOWN - " + printable(context.error().message()) + "\n");
  if (!context) return not_run(app, report(context.error()));
  return chosen.run(**context);
}

// With the pager around it, if it takes one.
int run_paged(const CLI::App& app, const GlobalOptions& globals, const CommandSpec& command,
              const CommandSpec& chosen) {
  if (chosen.pages && !globals.no_pager) keep_for_pager();
  const int code =
      chosen.run_alone ? chosen.run_alone() : run_chosen(app, globals, command, chosen);
  show_kept();
  return code;
}

// Adds the options and commands to the parser; the one that the arguments choose is stored in
// `chosen` when they are parsed.
void set_up(CLI::App& app, GlobalOptions& globals, const Specs& commands,
            const CommandSpec*& chosen) {
  app.footer(kFooter);
  app.set_version_flag("--version", version_text);
  app.require_subcommand(0, 1);  // a missing subcommand is reported below, after an unknown word
  app.fallthrough();
  for (const CommandOption& option : global_options(globals)) add_option(app, option);
  for (const CommandSpec& command : commands) add_command(app, command, chosen);
}

}  // namespace

std::string record_number(const std::string& typed) {
  return whole_number<int64_t>(typed).value_or(0) > 0
             ? ""
             : fmt::format("'{}' is not a record number", typed);
}

OptionCheck in_range(int least, int most) {
  return CLI::Range(least, most);
}

namespace {

// Also of a command line that cannot be parsed.
bool wants_json(int argc, const char* const* argv) {
  for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i)
    if (std::string_view(argv[i]) == "--json") return true;
  return false;
}

int parse_and_run(int argc, const char* const* argv) {
  CLI::App app(kAbout, "certrebind");
  GlobalOptions globals;
  const std::vector<CommandSpec> commands = all_commands();
  const CommandSpec* chosen = nullptr;
  set_up(app, globals, commands, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError& error) {
    if (!app.get_subcommands().empty()) return not_run(app, report_typed(app, commands, error));
    return report_unknown_command(app.remaining().front(), commands);
  } catch (const CLI::CallForVersion&) {
    return tell("version", version_text());
  } catch (const CLI::CallForHelp&) {
    return tell("help", app.help());
  } catch (const CLI::ParseError& error) {
    return not_run(app, report_typed(app, commands, error));
  }
  answer_in_json(globals.json);
  if (chosen == nullptr) {
    print_error(app.help());
    note_failure({.message = "certrebind: no command was given", .next = "certrebind --help"});
    return kUsage;
  }
  const std::string first = app.get_subcommands().front()->get_name();
  return run_paged(app, globals, *find_spec(commands, first), *chosen);
}

}  // namespace

Result<std::string> help_of(const std::vector<std::string>& words) {
  CLI::App app(kAbout, "certrebind");
  GlobalOptions globals;
  const Specs commands = all_commands();
  const CommandSpec* chosen = nullptr;
  set_up(app, globals, commands, chosen);
  const Specs* level = &commands;
  const CLI::App* at = &app;
  std::string path = "certrebind";
  for (const std::string& word : words) {
    const CommandSpec* spec = find_spec(*level, word);
    if (spec == nullptr) {
      const std::string meant = did_you_mean(word, names_of(*level));
      return fail(Code::usage, "help with", printable(word), "there is no such command",
                  meant.empty() ? path + " --help lists the commands" : meant);
    }
    at = at->get_subcommand(word);
    level = &spec->subcommands;
    path += " " + word;
  }
  return at->help(at == &app ? "" : path.substr(0, path.rfind(' ')));
}

int run_certrebind(int argc, const char* const* argv) {
  answer_in_json(wants_json(argc, argv));
  int code = kNeedsOperator;
  try {
    code = parse_and_run(argc, argv);
  } catch (const std::exception& error) {
    // Nothing should arrive here: rooms hand errors on as values. Memory may still run out.
    refuse(std::string("certrebind: ") + error.what(), "certrebind check");
  }
  print_answer(code);
  return code;
}

}  // namespace certrebind
