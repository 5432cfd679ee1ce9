// One function for each command: adds its options to the command line, and what to run if it is
// chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "cli/context.h"

namespace certrebind {

// The command that was chosen; gives an exit code.
using Invocation = std::function<int(Context&)>;

void add_scan(CLI::App& app, Invocation& chosen);
void add_certificates(CLI::App& app, Invocation& chosen);
void add_explain(CLI::App& app, Invocation& chosen);
void add_show(CLI::App& app, Invocation& chosen);
void add_check(CLI::App& app, Invocation& chosen);
void add_plan(CLI::App& app, Invocation& chosen);
void add_rebind(CLI::App& app, Invocation& chosen);
void add_undo(CLI::App& app, Invocation& chosen);
void add_restore(CLI::App& app, Invocation& chosen);
void add_recover(CLI::App& app, Invocation& chosen);
void add_history(CLI::App& app, Invocation& chosen);
void add_renew(CLI::App& app, Invocation& chosen);
void add_autoenroll(CLI::App& app, Invocation& chosen);
void add_switch(CLI::App& app, Invocation& chosen);
void add_daemon(CLI::App& app, Invocation& chosen);
void add_enable(CLI::App& app, Invocation& chosen);
void add_status(CLI::App& app, Invocation& chosen);
void add_forget(CLI::App& app, Invocation& chosen);
void add_events(CLI::App& app, Invocation& chosen);
void add_task(CLI::App& app, Invocation& chosen);

// For options that take the number of a record, as histories and events show it.
const CLI::Validator& record_number();

// The whole program: parses, runs, gives the exit code.
int run_certrebind(int argc, const char* const* argv);

}  // namespace certrebind
