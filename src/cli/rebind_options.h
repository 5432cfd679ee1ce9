// What `plan` and `rebind` take.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/context.h"

namespace certrebind {

struct RebindOptions {
  std::vector<std::string> certificates;  // OLD NEW [OLD NEW …]
  std::string key;
  bool repoint = false;
  bool rewrite = false;
  bool dry_run = false;
  bool pending = false;  // no OLD and NEW: what differs is put right
};

// OLD, NEW and --key.
void add_pair_options(CLI::App& command, RebindOptions& options);
// … and the kind of plan.
void add_rebind_options(CLI::App& command, RebindOptions& options);

// Code::usage for an odd number of certificates and the like. Paths are made absolute.
Result<RebindRequest> request_of(const RebindOptions& options, const Context& context);

// Prints what was planned; gives the exit code.
int show_prepared(const Context& context, Prepared& prepared);
// The dry run: prints the plans, changes nothing.
int plan_only(Context& context, const RebindOptions& options);

}  // namespace certrebind
