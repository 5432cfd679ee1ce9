#include <fmt/format.h>

#include <charconv>
#include <set>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "sys/guard.h"

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

void add_globals(CLI::App& app, GlobalOptions& globals) {
  app.add_option("--config", globals.config,
                 "configuration file (CERTREBIND_CONFIG; /etc/certrebind/certrebind.toml)")
      ->type_name("FILE");
  app.add_option("--state", globals.state,
                 "state directory (CERTREBIND_STATE; /var/lib/certrebind)")
      ->type_name("DIR");
  app.add_option("--run", globals.run, "run directory (CERTREBIND_RUN; /run/certrebind)")
      ->type_name("DIR");
  app.add_option("--service", globals.services,
                 "only this service, running or not: nginx:/etc/nginx/nginx.conf, "
                 "apache:/etc/apache2/apache2.conf, haproxy:/etc/haproxy/haproxy.cfg; repeatable")
      ->type_name("KIND:PATH")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  app.add_flag("--json", globals.json, "print JSON");
}

void add_commands(CLI::App& app, Invocation& chosen) {
  add_check(app, chosen);
  add_scan(app, chosen);
  add_certificates(app, chosen);
  add_show(app, chosen);
  add_explain(app, chosen);
  add_plan(app, chosen);
  add_rebind(app, chosen);
  add_undo(app, chosen);
  add_restore(app, chosen);
  add_recover(app, chosen);
  add_renew(app, chosen);
  add_autoenroll(app, chosen);
  add_history(app, chosen);
  add_events(app, chosen);
  add_enable(app, chosen);
  add_switch(app, chosen);
  add_status(app, chosen);
  add_forget(app, chosen);
  add_daemon(app, chosen);
  add_task(app, chosen);
}

// The others are about the whole machine, or about one record of it.
const std::set<std::string>& commands_of_services() {
  static const std::set<std::string> kNames = {
      "check", "scan",    "certificates", "show",       "explain", "plan",   "rebind",
      "undo",  "restore", "renew",        "autoenroll", "switch",  "history"};
  return kNames;
}

// Monitoring takes 1 and 2 of `check` for what it found; that it could not look is "unknown".
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

int run_chosen(const CLI::App& app, const GlobalOptions& globals, const Invocation& chosen) {
  const std::string command = app.get_subcommands().front()->get_name();
  if (!globals.services.empty() && !commands_of_services().contains(command))
    return report({Code::usage, "use", "--service with " + command,
                   "this command is about the whole machine",
                   "what is to be left alone, and how, says a [[policy]]: man certrebind.toml"});
  auto context = Context::create(globals);
  if (!context) return not_run(app, report(context.error()));
  return chosen(**context);
}

}  // namespace

const CLI::Validator& record_number() {
  static const CLI::Validator kNumber(
      [](std::string& typed) {
        int64_t number = 0;
        auto [end, error] = std::from_chars(typed.data(), typed.data() + typed.size(), number);
        bool whole = error == std::errc{} && end == typed.data() + typed.size();
        return whole && number > 0 ? "" : fmt::format("'{}' is no number of one", typed);
      },
      "", "record number");
  return kNumber;
}

int run_certrebind(int argc, const char* const* argv) {
  CLI::App app(kAbout, "certrebind");
  GlobalOptions globals;
  Invocation chosen;
  app.footer(kFooter);
  app.set_version_flag("--version", "certrebind " CERTREBIND_VERSION);
  app.require_subcommand(0, 1);  // none is told below, after an unknown word was
  app.fallthrough();
  add_globals(app, globals);
  add_commands(app, chosen);
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
  if (!chosen) {
    print_error(app.help());
    return kUsage;
  }
  return run_chosen(app, globals, chosen);
}

}  // namespace certrebind
