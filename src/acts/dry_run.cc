#include "acts/dry_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "transaction/candidate_check.h"
#include "transaction/reload_preview.h"
#include "transaction/reloader.h"

namespace certrebind {

namespace {

// A test of the files that a plan leaves: those it writes are shown to the test, the others are on
// disk.
class PlanTest {
 public:
  PlanTest(const Host& host, const Plan& plan)
      : host_(host), plan_(plan), service_(*plan.request.service) {
    for (const PlannedFile& file : plan.request.files) {
      if (file.is_absent) absent_ = file.path;
      shown_.push_back({.path = file.path,
                        .content = file.after,
                        .mode = file.mode ? std::optional(file.mode->after) : std::nullopt});
    }
  }

  DryTest run(const TestOutcome& begun) {
    Reloader reloader(&service_, host_);
    if (Done chosen = reloader.choose(plan_.request.loads); !chosen)
      return ended(DryOutcome::refused, printable(chosen.error().message()));
    if (!plan_.request.no_reload.empty() && !reloader.is_live())
      return ended(DryOutcome::refused, printable(plan_.request.no_reload));
    auto command = service_.config_test();
    if (!command) return ended(DryOutcome::not_tested, "this kind of server has no test");
    if (!absent_.empty())
      return ended(DryOutcome::not_tested,
                   fmt::format("{} does not exist yet, so the test cannot be shown its content; "
                               "rebind tests it after the swap",
                               printable(absent_)));
    if (shown_.empty()) return of_disk(begun.valid() ? begun.get() : tested(*command));
    Command on_new = *command;
    on_new.shown = shown_;
    auto output = tested(on_new);
    if (!output && output.error().code == Code::unsupported)
      return ended(DryOutcome::not_tested,
                   fmt::format("{}; rebind tests the new files after the swap",
                               printable(output.error().cause)));
    if (!output) return ended(DryOutcome::would_roll_back, printable(output.error().message()));
    if (output->status != 0) return rejected(*command, *output);
    return rehearsed(command->text());
  }

 private:
  Result<CommandOutput> tested(const Command& command) {
    return host_.commands.start(command, kTestDeadline).outcome.get();
  }

  DryTest ended(DryOutcome outcome, std::string text) const {
    return {.service = service_.id(), .outcome = outcome, .text = std::move(text)};
  }

  DryTest broken_now(const CommandOutput& output) const {
    return ended(DryOutcome::refused,
                 "the server's configuration test already fails, so nothing would be changed; it "
                 "says:" +
                     excerpt(output.output));
  }

  // Nothing would be written, so a failure would change nothing either.
  DryTest of_disk(const Result<CommandOutput>& output) {
    if (!output) return ended(DryOutcome::refused, printable(output.error().message()));
    return output->status == 0 ? rehearsed(service_.config_test()->text()) : broken_now(*output);
  }

  // Broken before, or by the new files?
  DryTest rejected(const Command& command, const CommandOutput& with_new) {
    auto now = tested(command);
    if (!now) return ended(DryOutcome::refused, printable(now.error().message()));
    if (now->status != 0) return broken_now(*now);
    return ended(
        DryOutcome::would_roll_back,
        "the server's own test rejects the new files; it says:" + excerpt(with_new.output));
  }

  // For a server that one bad certificate stops. A rebind does this where it would roll back, also
  // if it writes nothing.
  DryTest rehearsed(const std::string& line) {
    const std::string passed = fmt::format("{} passes", printable(line));
    ReloadPreview preview(&service_, host_.files);
    std::optional<Rehearsal> rehearsal = preview.rehearsal();
    if (!rehearsal) return ended(DryOutcome::passes, passed);
    rehearsal->command.shown = shown_;
    RunningRehearsal running = host_.commands.rehearse(*rehearsal, kTestDeadline);
    auto output = running.outcome.get();
    if (!output) return ended(DryOutcome::would_roll_back, printable(output.error().message()));
    const std::string key = output->impossible.empty() ? "" : preview.encrypted_key();
    if (!key.empty())
      return ended(
          DryOutcome::would_roll_back,
          fmt::format("nothing tells whether the encrypted key {} belongs to its certificate",
                      printable(key)));
    if (!output->impossible.empty())
      return ended(DryOutcome::passes,
                   passed + "; not rehearsed: " + printable(output->impossible));
    if (!output->came_up)
      return ended(DryOutcome::would_roll_back,
                   "the server does not start with these files (tested in isolation); it "
                   "says:" +
                       excerpt(output->of.output, true));
    return ended(DryOutcome::passes, passed + ", and a start in isolation succeeds");
  }

  const Host& host_;
  const Plan& plan_;
  const Service& service_;
  std::vector<ShownFile> shown_;
  std::string absent_;
};

}  // namespace

std::string to_text(DryOutcome outcome) {
  switch (outcome) {
    case DryOutcome::passes:
      return "passes";
    case DryOutcome::refused:
      return "refused";
    case DryOutcome::would_roll_back:
      return "would roll back";
    case DryOutcome::not_tested:
      return "not tested";
  }
  return "";
}

std::vector<DryTest> test_plans(const Host& host, const Prepared& prepared) {
  std::vector<DryTest> tests;
  for (const Plan& plan : prepared.plans)
    if (!plan.does_nothing() && !refuses(plan.findings))
      tests.push_back(PlanTest(host, plan).run(prepared.tests.of(*plan.request.service)));
  return tests;
}

}  // namespace certrebind
