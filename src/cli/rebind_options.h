// The options of `plan` and `rebind`.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"

namespace certrebind {

struct RebindOptions {
  std::vector<std::string> certificates;  // SITE, SITE NEW, OLD NEW, and more of them
  std::string key;
  std::vector<std::string> accepted;  // names of risks
  bool repoint = false;
  bool rewrite = false;
  bool dry_run = false;
  bool pending = false;  // without OLD and NEW: correct every difference
};

// OLD, NEW, --key and --accept.
std::vector<CommandOption> pair_options(RebindOptions& options);
// … and the options for the kind of plan.
std::vector<CommandOption> rebind_options(RebindOptions& options);

// The risks that --accept names. Code::usage for an unknown one.
Result<Risks> accepted_by(const std::vector<std::string>& names);

Preference preference_of(const RebindOptions& options);

// Runs the servers' own tests of the prepared plans, and prints both. Returns the exit code that
// the rebind would have, as far as the tests tell.
int show_prepared(Context& context, Prepared& prepared);
// The dry run: prints the plans, changes nothing.
int plan_only(Context& context, const RebindOptions& options);

}  // namespace certrebind
