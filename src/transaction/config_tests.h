// The servers' own tests of the files on disk. Before a change, most of the time goes into these
// tests. So they start while the plan is being made, and run in parallel to it.
#pragma once

#include <future>
#include <vector>

#include "survey/survey.h"
#include "sys/host.h"

namespace certrebind {

// Time limit for a server's own test: a minute, plus ten times what the slowest server needs for
// each certificate (bench/README.md). A test that would wait for ever, for example on a FIFO, is
// stopped then.
inline constexpr milliseconds test_deadline(size_t bindings) {
  return std::chrono::minutes(1) + bindings * milliseconds(20);
}
// The limit as long as the number of bindings is not known.
inline constexpr milliseconds kTestDeadline = test_deadline(10'000);

using TestOutcome = std::shared_future<Result<CommandOutput>>;

// The destructor ends the tests that still run.
class ConfigTests {
 public:
  // Starts the test, unless it was started before. Prefers the test that also tells what the server
  // sees, if the server has one. Does nothing if the server has no test, or may not be run
  // (Trust::doubt).
  void begin(const Host& host, const Service& service, milliseconds deadline = kTestDeadline);
  // Not valid if the test was not started.
  TestOutcome of(const Service& service) const;
  // Waits until all other tests have ended: they read files that this service's transaction will
  // change.
  void await_others(const Service& service) const;
  // Waits, and returns a diagnostic for each difference between the server's view and the survey.
  std::vector<Diagnostic> doubts(const std::vector<SurveyedService>& surveyed) const;

 private:
  struct Begun {
    const Service* service = nullptr;
    RunningCommand running;
  };
  std::vector<Begun> begun_;
};

}  // namespace certrebind
