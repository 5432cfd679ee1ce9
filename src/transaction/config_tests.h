// The servers' own tests of what lies there now. They take most of the time before anything can be
// changed, so they begin while a plan is made, and go on beside it.
#pragma once

#include <future>
#include <vector>

#include "survey/survey.h"
#include "sys/host.h"

namespace certrebind {

// How long a server's own test may take: a minute, and ten times what the slowest of them takes for
// each certificate (bench/README.md). What waits for ever, a FIFO for instance, is given up then.
inline constexpr milliseconds test_deadline(size_t bindings) {
  return std::chrono::minutes(1) + bindings * milliseconds(20);
}
// … before it is known how many they are.
inline constexpr milliseconds kTestDeadline = test_deadline(10'000);

using TestOutcome = std::shared_future<Result<CommandOutput>>;

// Who lets go of them ends those that still run.
class ConfigTests {
 public:
  // Begins the test, unless it has begun; the one that tells what the server sees, where it has
  // such. Nothing where the server has no test, or may not be run (Trust::doubt).
  void begin(const Host& host, const Service& service, milliseconds deadline = kTestDeadline);
  // Not valid where it was not begun.
  TestOutcome of(const Service& service) const;
  // Until all others have ended: they look at files that this one's transaction will change.
  void await_others(const Service& service) const;
  // Waits, and gives a diagnostic wherever a server sees something else than the survey.
  std::vector<Diagnostic> doubts(const std::vector<SurveyedService>& surveyed) const;

 private:
  struct Begun {
    const Service* service = nullptr;
    RunningCommand running;
  };
  std::vector<Begun> begun_;
};

}  // namespace certrebind
