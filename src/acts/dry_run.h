// The servers' own tests of what a plan would make them load. The plan's files are shown to the
// test alone (Command::shown), so nothing on disk changes.
#pragma once

#include <string>
#include <vector>

#include "plan/prepare.h"

namespace certrebind {

// What the rebind would come to, as far as the server's own test can tell.
enum class DryOutcome {
  passes,
  refused,          // the test fails with the files on disk too
  would_roll_back,  // it fails with the new files only
  not_tested,       // it cannot be run without changing files
};
std::string to_text(DryOutcome outcome);  // "passes", "refused", "would roll back", "not tested"

struct DryTest {
  ServiceId service;
  DryOutcome outcome = DryOutcome::passes;
  std::string text;  // lines for people: what was run, or why not, and what the server says
};

// One test for each plan that would do something. Takes as long as the servers need to read
// everything. Call it before Prepared::hear_doubts, which drops the tests that run already.
std::vector<DryTest> test_plans(const Host& host, const Prepared& prepared);

}  // namespace certrebind
