#include "transaction/record.h"

#include <algorithm>
#include <utility>

namespace certrebind {

namespace {

constexpr std::pair<Act, const char*> kActs[] = {
    {Act::rebind, "rebind"}, {Act::undo, "undo"}, {Act::restore, "restore"}};

struct PhaseName {
  Phase phase;
  const char* name;
};

constexpr PhaseName kPhases[] = {
    {Phase::planned, "planned"},     {Phase::staged, "staged"},
    {Phase::swapping, "swapping"},   {Phase::swapped, "swapped"},
    {Phase::tested, "tested"},       {Phase::reloading, "reloading"},
    {Phase::verifying, "verifying"}, {Phase::committed, "committed"},
    {Phase::restoring, "restoring"}, {Phase::restored, "restored"},
    {Phase::refused, "refused"},     {Phase::stuck, "stuck"},
};

struct OutcomeName {
  Outcome outcome;
  const char* name;
  EventId event;
};

constexpr OutcomeName kOutcomes[] = {
    {Outcome::committed, "committed", EventId::committed},
    {Outcome::rolled_back, "rolled back", EventId::rolled_back},
    {Outcome::refused, "refused", EventId::refused},
    {Outcome::needs_operator, "needs operator", EventId::needs_operator},
};

const OutcomeName& entry_of(Outcome outcome) {
  return *std::ranges::find(kOutcomes, outcome, &OutcomeName::outcome);
}

}  // namespace

std::string to_text(Act act) {
  return std::ranges::find(kActs, act, &std::pair<Act, const char*>::first)->second;
}

Act act_named(const std::string& name) {
  auto found = std::ranges::find_if(kActs, [&](const auto& each) { return name == each.second; });
  return found == std::end(kActs) ? Act::rebind : found->first;
}

std::string to_text(Phase phase) {
  return std::ranges::find(kPhases, phase, &PhaseName::phase)->name;
}

std::string to_text(Outcome outcome) {
  return entry_of(outcome).name;
}

EventId logged_as(Outcome outcome) {
  return entry_of(outcome).event;
}

Phase phase_named(const std::string& name) {
  auto found = std::ranges::find_if(kPhases, [&](const PhaseName& p) { return name == p.name; });
  return found == std::end(kPhases) ? Phase::stuck : found->phase;
}

std::optional<Outcome> outcome_named(const std::string& name) {
  auto found =
      std::ranges::find_if(kOutcomes, [&](const OutcomeName& o) { return name == o.name; });
  if (found == std::end(kOutcomes)) return std::nullopt;
  return found->outcome;
}

}  // namespace certrebind
