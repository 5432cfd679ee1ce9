#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/version.h"

namespace certrebind {

namespace {

constexpr const char* kAbout =
    "certrebind: when a TLS certificate is renewed, every site that used the old one serves the\n"
    "new one, proven by handshakes on the wire, or everything is as it was.\n";

constexpr const char* kFooter =
    "Examples:\n"
    "  certrebind check                     what is configured, on disk and served; changes "
    "nothing\n"
    "  certrebind plan 1a2b3c4d new.pem     what a rebind would do\n"
    "  certrebind rebind 1a2b3c4d new.pem   do it, prove it, or put everything back\n"
    "\n"
    "Exit codes: 0 done or nothing to do; 1 something differs or was refused; 2 usage;\n"
    "3 rolled back; 4 needs operator. check: 0 ok, 1 warning, 2 critical, 3 unknown.";

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
      {"--verbose", &globals.verbose, "name every endpoint that failed, not only the first few"}};
}

// In the order of --help.
std::vector<CommandSpec> all_commands() {
  return {
      check_command(),   scan_command(),    certificates_command(), show_command(),
      explain_command(), plan_command(),    rebind_command(),       undo_command(),
      restore_command(), recover_command(), renew_command(),        autoenroll_command(),
      history_command(), events_command(),  enable_command(),       disable_command(),
      switch_command(),  status_command(),  forget_command(),       daemon_command(),
      task_command(),    metrics_command(), notify_command(),       config_command(),
      doctor_command(),
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
  if (!spec.run) command->require_subcommand(1);
  if (!spec.footer.empty()) command->footer(spec.footer);
  command->callback([command, &spec, &chosen] {
    if (command->get_subcommands().empty()) chosen = &spec;
  });
}

// Monitoring reads 1 and 2 from `check` as results; a `check` that could not run is "unknown".
int not_run(const CLI::App& app, int code) {
  return app.got_subcommand("check") ? kUnknown : code;
}

int report_typed(const CLI::App& app, const CLI::ParseError& error) {
  std::string command = "certrebind";
  if (!app.get_subcommands().empty()) command += " " + app.get_subcommands().front()->get_name();
  print_error(
      fmt::format("{}: {}\n{} --help says more", command, printable(error.what()), command));
  return kUsage;
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
  if (!context && app.got_subcommand("check"))
    print_line("UNKNOWN - " + printable(context.error().message()));
  if (!context) return not_run(app, report(context.error()));
  return chosen.run(**context);
}

}  // namespace

std::string record_number(const std::string& typed) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(typed.data(), typed.data() + typed.size(), number);
  bool whole = error == std::errc{} && end == typed.data() + typed.size();
  return whole && number > 0 ? "" : fmt::format("'{}' is not a record number", typed);
}

OptionCheck in_range(int least, int most) {
  return CLI::Range(least, most);
}

int run_certrebind(int argc, const char* const* argv) {
  CLI::App app(kAbout, "certrebind");
  GlobalOptions globals;
  const std::vector<CommandSpec> commands = all_commands();
  const CommandSpec* chosen = nullptr;
  app.footer(kFooter);
  app.set_version_flag("--version", version_text());
  app.require_subcommand(0, 1);  // a missing subcommand is reported below, after an unknown word
  app.fallthrough();
  for (const CommandOption& option : global_options(globals)) add_option(app, option);
  for (const CommandSpec& command : commands) add_command(app, command, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError& error) {
    if (!app.get_subcommands().empty()) return not_run(app, report_typed(app, error));
    print_error(fmt::format("certrebind: there is no command '{}'\ncertrebind --help lists them",
                            printable(app.remaining().front())));
    return kUsage;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return not_run(app, report_typed(app, error));
  }
  if (chosen == nullptr) {
    print_error(app.help());
    return kUsage;
  }
  const std::string first = app.get_subcommands().front()->get_name();
  return run_chosen(app, globals, *std::ranges::find(commands, first, &CommandSpec::name), *chosen);
}

}  // namespace certrebind
