#include "transaction/candidate_check.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace certrebind {

namespace {

constexpr size_t kOutputLines = 6;  // of a server's output, in our account

}  // namespace

std::string excerpt(const std::string& output, bool of_its_end) {
  std::vector<std::string> lines = split(trim(output), '\n');
  size_t shown = std::min(lines.size(), kOutputLines);
  size_t first = of_its_end ? lines.size() - shown : 0;
  std::string text;
  for (size_t i = first; i < first + shown; ++i) text += "\n  " + printable(lines[i]);
  return text;
}

std::optional<RunningCommand> CandidateCheck::start_test() const {
  // If users other than root decide what would run, nothing is started; the reloader refuses later.
  const bool may_run = service_ && service_->trust().doubt.empty();
  auto command = may_run ? service_->config_test() : std::nullopt;
  if (!command) return std::nullopt;
  return host_.commands.start(*command, kTestDeadline);
}

Result<CommandOutput> CandidateCheck::outcome_of(const std::optional<RunningCommand>& test) {
  return test ? outcome_of(test->outcome) : CommandOutput{};
}

Result<CommandOutput> CandidateCheck::outcome_of(const TestOutcome& test) {
  auto output = test.get();
  if (output) took_ = std::max(took_, output->took);
  return output;
}

void CandidateCheck::begin(bool tests) {
  if (tests) test_ = start_test();
  start_apart();
}

void CandidateCheck::start_apart() {
  const std::optional<Rehearsal>& rehearsal = preview_.rehearsal();
  if (rehearsal && service_->trust().doubt.empty())
    apart_ = host_.commands.rehearse(*rehearsal, kTestDeadline);
}

void CandidateCheck::await_test() const {
  if (apart_ && test_) test_->outcome.wait();
}

void CandidateCheck::abandon() {
  test_.reset();
  if (auto apart = std::exchange(apart_, std::nullopt)) ending_ = std::move(apart->minder);
}

std::string CandidateCheck::why_not_loadable() {
  if (!apart_) start_apart();
  preview_.why_not();
  if (auto apart = std::exchange(apart_, std::nullopt)) {
    auto output = apart->outcome.get();
    ending_ = std::move(apart->minder);
    if (!output) return output.error().message();
    not_rehearsed_ = output->impossible;
    took_ = std::max(took_, output->of.took);
    if (output->impossible.empty() && !output->came_up)
      return "the server does not start with these files (tested in isolation); it says:" +
             excerpt(output->of.output, true);
  }
  const std::string& why_not = preview_.why_not();
  if (!why_not.empty() || not_rehearsed_.empty()) return why_not;
  const std::string key = preview_.encrypted_key();
  if (key.empty()) return "";
  return fmt::format(
      "nothing tells whether the encrypted key {} belongs to its certificate: the server cannot be "
      "started in isolation here ({}), and a wrong key would stop it",
      printable(key), not_rehearsed_);
}

}  // namespace certrebind
