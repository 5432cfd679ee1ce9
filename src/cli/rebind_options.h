// The options of `plan` and `rebind`.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"

namespace certrebind {

struct RebindOptions {
  std::vector<std::string> certificates;  // OLD NEW [OLD NEW …]
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

// Code::usage for an odd number of certificates and similar errors. Makes paths absolute.
Result<RebindRequest> request_of(const RebindOptions& options, const Context& context);

Preference preference_of(const RebindOptions& options);

// Prints the prepared plans. Returns the exit code.
int show_prepared(const Context& context, Prepared& prepared);
// The dry run: prints the plans, changes nothing.
int plan_only(Context& context, const RebindOptions& options);

}  // namespace certrebind
