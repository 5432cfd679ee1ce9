// What a server itself says of what lies on disk: its own test, and where one bad certificate would
// end it, the server started apart. All of it only looks.
#pragma once

#include <optional>
#include <string>

#include "sys/host.h"
#include "transaction/config_tests.h"
#include "transaction/reload_preview.h"

namespace certrebind {

// What a server said, short enough for an account: the first lines, or the last of one that tells
// more than its end.
std::string excerpt(const std::string& output, bool of_its_end = false);

class CandidateCheck {
 public:
  // `service` may be null, or have no test: then nothing speaks against anything.
  CandidateCheck(const Service* service, const Host& host, ReloadPreview& loadable)
      : service_(service), host_(host), preview_(loadable) {}

  // Its test, to the end; or of one that was begun elsewhere.
  Result<CommandOutput> test() { return outcome_of(start_test()); }
  Result<CommandOutput> outcome_of(const TestOutcome& test);
  Result<CommandOutput> outcome_of(const std::optional<RunningCommand>& test);
  std::optional<RunningCommand> start_test() const;

  // Begins what the new files are to pass, beside what is done meanwhile: with `tests` the test,
  // and the start apart where there is one.
  void begin(bool tests);
  // Until the test that was begun has ended, if a start apart goes on still: that takes far longer,
  // and needs a processor to itself.
  void await_test() const;
  bool tests() const { return test_.has_value(); }
  // Of the test that was begun.
  Result<CommandOutput> outcome() { return outcome_of(test_); }
  // What was begun is of no interest any more: the files are taken back.
  void abandon();

  // Why what is on disk now must not be loaded; empty where nothing speaks against it. The server
  // is started apart, if that was not begun, and each of its pairs is looked at: meanwhile, and
  // once more if something has changed since.
  std::string why_not_loadable();
  // Why the server could not be started apart; empty where it could or need not be.
  const std::string& not_rehearsed() const { return not_rehearsed_; }
  // The longest that the server took.
  milliseconds took() const { return took_; }

 private:
  void start_apart();

  const Service* service_;
  const Host& host_;
  ReloadPreview& preview_;
  std::optional<RunningCommand> test_;
  std::optional<RunningRehearsal> apart_;
  std::jthread ending_;  // of one that was started apart: only who lets go of this waits for it
  std::string not_rehearsed_;
  milliseconds took_{0};
};

}  // namespace certrebind
