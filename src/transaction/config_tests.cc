#include "transaction/config_tests.h"

#include <algorithm>

namespace certrebind {

void ConfigTests::begin(const Host& host, const Service& service, milliseconds deadline) {
  if (of(service).valid() || !service.trust().doubt.empty()) return;
  auto command = own_view_of(service);
  if (!command) command = service.config_test();
  if (command) begun_.push_back({&service, host.commands.start(*command, deadline)});
}

TestOutcome ConfigTests::of(const Service& service) const {
  auto found = std::ranges::find(begun_, &service, &Begun::service);
  return found == begun_.end() ? TestOutcome() : found->running.outcome;
}

void ConfigTests::await_others(const Service& service) const {
  for (const Begun& each : begun_)
    if (each.service != &service) each.running.outcome.wait();
}

std::vector<Diagnostic> ConfigTests::doubts(const std::vector<SurveyedService>& surveyed) const {
  std::vector<Diagnostic> doubts;
  for (const SurveyedService& each : surveyed) {
    TestOutcome outcome = of(*each.service);
    const std::optional<SelfReport> report = each.service->self_report();
    if (!outcome.valid() || !report || !report->own_view) continue;
    if (const Result<CommandOutput>& view = outcome.get()) {
      std::ranges::move(report->doubts(*view, each.named), std::back_inserter(doubts));
    } else {
      doubts.push_back({.severity = Severity::warning,
                        .file = each.service->id().path,
                        .line = 0,
                        .column = 0,
                        .message = view.error().message()});
    }
  }
  return doubts;
}

}  // namespace certrebind
