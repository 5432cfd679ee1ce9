// Asks the server itself whether the files on disk are good: its configuration test, and, for a
// server that one bad certificate would stop, a rehearsal (the server started in isolation). All of
// it is read-only.
#pragma once

#include <optional>
#include <string>

#include "sys/host.h"
#include "transaction/config_tests.h"
#include "transaction/reload_preview.h"

namespace certrebind {

// A short part of a server's output: the first lines, or the last ones if `of_its_end`, for output
// in which only the end matters.
std::string excerpt(const std::string& output, bool of_its_end = false);

class CandidateCheck {
 public:
  // `service` may be null, or have no test: then nothing is objected to.
  CandidateCheck(const Service* service, const Host& host, ReloadPreview& loadable)
      : service_(service), host_(host), preview_(loadable) {}

  // Runs the configuration test to its end, or waits for a test that was started elsewhere.
  Result<CommandOutput> test() { return outcome_of(start_test()); }
  Result<CommandOutput> outcome_of(const TestOutcome& test);
  Result<CommandOutput> outcome_of(const std::optional<RunningCommand>& test);
  std::optional<RunningCommand> start_test() const;

  // Starts checking the new files in the background: the test if `tests`, and the rehearsal if the
  // server has one.
  void begin(bool tests);
  // Waits for the started test, if a rehearsal is running too: the rehearsal takes far longer and
  // needs a processor to itself.
  void await_test() const;
  bool tests() const { return test_.has_value(); }
  // The outcome of the started test.
  Result<CommandOutput> outcome() { return outcome_of(test_); }
  // The started checks are no longer of interest, because the files are being restored.
  void abandon();

  // Why the files on disk must not be loaded; empty if nothing is wrong. Starts the rehearsal if it
  // was not started yet. Meanwhile checks every certificate and key, and checks them again if
  // something has changed since.
  std::string why_not_loadable();
  // Why the rehearsal was impossible; empty if it ran or was not needed.
  const std::string& not_rehearsed() const { return not_rehearsed_; }
  // The longest time that the server took for a check.
  milliseconds took() const { return took_; }

 private:
  void start_apart();

  const Service* service_;
  const Host& host_;
  ReloadPreview& preview_;
  std::optional<RunningCommand> test_;
  std::optional<RunningRehearsal> apart_;
  std::jthread ending_;  // ends an abandoned rehearsal; only the destructor waits for it
  std::string not_rehearsed_;
  milliseconds took_{0};
};

}  // namespace certrebind
