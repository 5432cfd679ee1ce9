#include "transaction/endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>

#include "base/text.h"
#include "sys/low_priority.h"

namespace certrebind {

namespace {

// A few seconds: enough for short disturbances to pass.
constexpr int kLooksAtOthers = 8;
constexpr milliseconds kBetweenLooks{300};

std::vector<Target> each_target(const std::vector<Expectation>& expectations,
                                Target (Expectation::*target)() const) {
  std::vector<Target> targets;
  for (const Expectation& each : expectations) targets.push_back((each.*target)());
  return targets;
}

}  // namespace

void Endpoints::ask_who_answers() {
  const std::vector<Target> targets = each_target(record_.expectations, &Expectation::old_target);
  // The server's own test runs in parallel, and everything waits for it.
  std::vector<Result<Served>> served;
  run_at_low_priority([&] {
    served = context_.prober.handshake_all(targets,
                                           std::max(1U, std::thread::hardware_concurrency() / 2));
  });
  // A key that is not the certificate's is no silence: the new pair must mend it.
  for (size_t i = 0; i < served.size(); ++i)
    record_.expectations[i].answered = served[i] || shows_another_key(served[i].error());
}

// Asks the endpoints that did not answer before once more. An endpoint that now shows one of the
// two certificates must show the new one, like all others.
bool Endpoints::somebody_answers_now() {
  std::vector<Expectation*> silent;
  std::vector<Target> targets;
  for (Expectation& expected : record_.expectations) {
    if (expected.answered) continue;
    silent.push_back(&expected);
    targets.push_back(expected.new_target());
  }
  std::vector<Result<Served>> served = context_.prober.handshake_all(targets);
  strangers_.clear();
  for (size_t i = 0; i < silent.size(); ++i) {
    if (!served[i]) continue;
    const Thumbprint& shown = served[i]->thumbprint;
    silent[i]->answered = shown == silent[i]->new_thumbprint || silent[i]->is_of_before(shown);
    if (!silent[i]->answered)
      strangers_.push_back(
          fmt::format("{} did not answer before, and now serves another certificate: {}",
                      silent[i]->text(), shown.brief()));
  }
  return std::ranges::any_of(silent, &Expectation::answered);
}

void Endpoints::ask_the_others() {
  if (std::exchange(others_asked_, true) || record_.others.empty()) return;
  const std::vector<Target> targets = each_target(record_.others, &Expectation::old_target);
  std::vector<Result<Served>> served;
  run_at_low_priority([&] { served = context_.prober.handshake_all(targets); });
  std::vector<Expectation> answering;
  for (size_t i = 0; i < served.size(); ++i)
    if (served[i]) answering.push_back(std::move(record_.others[i]));
  record_.others = std::move(answering);
}

std::vector<std::string> Endpoints::silenced() const {
  std::vector<const Expectation*> left;
  for (const Expectation& other : record_.others) left.push_back(&other);
  std::vector<std::string> texts;
  for (int i = 0; i < kLooksAtOthers && !left.empty(); ++i) {
    if (i > 0) context_.host.clock.sleep(kBetweenLooks);
    std::vector<Target> targets;
    for (const Expectation* other : left) targets.push_back(other->old_target());
    std::vector<Result<Served>> served = context_.prober.handshake_all(targets);
    std::vector<const Expectation*> silent;
    texts.clear();
    for (size_t k = 0; k < served.size(); ++k) {
      if (served[k]) continue;
      silent.push_back(left[k]);
      texts.push_back(fmt::format("{} at {}: {}", printable(left[k]->site), left[k]->text(),
                                  printable(served[k].error().cause)));
    }
    left = std::move(silent);
  }
  return texts;
}

std::vector<ForeignListener> Endpoints::foreign(const SignalReload& master) const {
  const std::set<Address> addresses = addresses_of(record_.expectations);
  std::vector<ForeignListener> found;
  for (int i = 0; i < kLooksAtOthers; ++i) {
    if (i > 0) context_.host.clock.sleep(kBetweenLooks);
    found = foreign_listeners(context_.host, master, addresses);
    if (found.empty()) break;
  }
  return found;
}

Verdict Endpoints::prove_new(const ProofLimits& within) {
  auto proven = [&] {
    return prove(context_.prober, context_.host.clock, claims_for_new(record_.expectations),
                 within);
  };
  Verdict verdict = proven();
  return verdict.holds() && somebody_answers_now() ? proven() : verdict;
}

Verdict Endpoints::prove_old(const ProofLimits& within) const {
  return prove(context_.prober, context_.host.clock, claims_for_old(record_.expectations), within);
}

bool Endpoints::shows_new() const {
  std::vector<Result<Served>> served =
      context_.prober.handshake_all(each_target(record_.expectations, &Expectation::new_target));
  for (size_t i = 0; i < served.size(); ++i) {
    const Expectation& expected = record_.expectations[i];
    // What was served from memory before we began proves nothing about our change.
    const bool is_ours = !expected.is_forced() && expected.in_memory != expected.new_thumbprint;
    if (is_ours && served[i] && served[i]->thumbprint == expected.new_thumbprint) return true;
  }
  return false;
}

std::string Endpoints::served_now(const char* wanted) const {
  size_t fresh = 0, silent = 0;
  std::vector<Result<Served>> served =
      context_.prober.handshake_all(each_target(record_.expectations, &Expectation::new_target));
  for (size_t i = 0; i < served.size(); ++i) {
    silent += served[i] ? 0 : 1;
    fresh += served[i] && served[i]->thumbprint == record_.expectations[i].new_thumbprint;
  }
  return fmt::format("served: {} of {} show {}, {} do not answer", fresh,
                     count_of(served.size(), "endpoint and name", "endpoints and names"), wanted,
                     silent);
}

std::string Endpoints::told_of_memory() const {
  std::vector<const Expectation*> behind;
  std::vector<Target> targets;
  for (const Expectation& expected : record_.expectations) {
    if (!expected.in_memory) continue;
    behind.push_back(&expected);
    targets.push_back(expected.old_target());
  }
  std::vector<Result<Served>> served = context_.prober.handshake_all(targets);
  std::set<std::string> told;
  for (size_t i = 0; i < behind.size(); ++i) {
    const Expectation& expected = *behind[i];
    const bool is_left = served[i] && served[i]->thumbprint == expected.in_memory;
    told.insert(fmt::format(
        "\n  {} was served only from memory, and {}: {} is on disk{}", expected.in_memory->brief(),
        is_left ? "still is" : "is no longer served", expected.old_thumbprint.brief(),
        is_left ? ", and the next reload loads it" : ""));
  }
  return join({told.begin(), told.end()}, "");
}

}  // namespace certrebind
