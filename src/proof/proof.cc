#include "proof/proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace certrebind {

namespace {

constexpr int kInARow = 3;              // handshakes for every claim, at least
constexpr size_t kWitnesses = 20;       // handshakes for every listener, over all its claims
constexpr size_t kMostWitnesses = 160;  // the same, after contradicting answers
constexpr size_t kManyNames = 100;  // claims on one listener above which each needs one handshake
constexpr size_t kManyListeners = 100;

// The progress of one claim.
struct Progress {
  int needed = kInARow;  // length of the row that proves the claim
  int most = kInARow;    // upper limit of `needed`
  int in_a_row = 0;
  bool seen = false;  // the wanted certificate itself was seen in this row
  std::string last;   // the last answer that contradicted the claim
  bool proven() const { return in_a_row >= needed && seen; }
  // True if another handshake is worthwhile at once. After a whole row of tolerated third
  // certificates, it is better to wait.
  bool promising() const { return in_a_row > 0 && (seen || in_a_row < needed); }
};

std::vector<Progress> begin(std::span<const Claim> claims) {
  std::map<Address, size_t> names;
  for (const Claim& claim : claims) ++names[claim.target.address];
  std::vector<Progress> progress(claims.size());
  for (size_t i = 0; i < claims.size(); ++i) {
    size_t on_listener = names[claims[i].target.address];
    size_t share = names.size() > kManyListeners ? 0 : (kWitnesses + on_listener - 1) / on_listener;
    progress[i].needed = std::max(kInARow, static_cast<int>(share));
    if (on_listener > kManyNames) progress[i].needed = 1;
    progress[i].most = std::max(progress[i].needed, static_cast<int>(kMostWitnesses / on_listener));
  }
  return progress;
}

// A client without its own copy of an intermediate cannot verify the leaf.
bool comes_with(const Served& served, const std::vector<Thumbprint>& above) {
  return std::ranges::all_of(above, [&](const Thumbprint& wanted) {
    return std::ranges::any_of(
        served.above, [&](const std::string& der) { return Thumbprint::of_der(der) == wanted; });
  });
}

void judge(const Claim& claim, const Result<Served>& served, Progress& progress) {
  const bool whole =
      served && (served->thumbprint != claim.wanted || comes_with(*served, claim.above));
  bool wanted =
      whole && (served->thumbprint == claim.wanted || served->thumbprint == claim.as_good);
  bool tolerated = served && claim.unwanted && served->thumbprint != *claim.unwanted;
  if (wanted || tolerated) {
    ++progress.in_a_row;
    progress.seen = progress.seen || wanted;
    if (progress.seen) return;
  } else {
    progress.in_a_row = 0;
    progress.seen = false;
  }
  progress.last = served ? "serves " + served->thumbprint.brief() : served.error().cause;
  if (served && !whole) progress.last += " without its intermediates";
}

size_t proven_count(const std::vector<Progress>& progress) {
  return static_cast<size_t>(std::ranges::count_if(progress, &Progress::proven));
}

// The listeners whose last answers were as wanted.
std::set<Address> in_a_row(std::span<const Claim> claims, const std::vector<Progress>& progress) {
  std::set<Address> listeners;
  for (size_t i = 0; i < claims.size(); ++i)
    if (progress[i].in_a_row > 0) listeners.insert(claims[i].target.address);
  return listeners;
}

// One other answer on a listener means that another process still takes connections there, so all
// its claims start again. If wanted answers came before, a row of the same length would sooner or
// later succeed by chance. So the next row must be twice as long.
void begin_anew(std::span<const Claim> claims, const std::set<Address>& broken,
                const std::set<Address>& promising, std::vector<Progress>& progress) {
  for (size_t i = 0; i < claims.size() && !broken.empty(); ++i) {
    const Address& listener = claims[i].target.address;
    if (!broken.contains(listener)) continue;
    progress[i].in_a_row = 0;
    if (promising.contains(listener))
      progress[i].needed = std::min(2 * progress[i].needed, progress[i].most);
  }
}

// Makes one handshake for each of these claims. A proven claim that now fails is no longer proven.
void look(const Prober& prober, std::span<const Claim> claims, const std::vector<size_t>& which,
          std::vector<Progress>& progress, const ProofLimits& limits) {
  std::vector<Target> targets;
  for (size_t index : which) targets.push_back(claims[index].target);
  size_t before = proven_count(progress);
  auto tell = [&](size_t done) {
    if (limits.progress) limits.progress(std::min(before + done, claims.size()), claims.size());
  };
  std::set<Address> promising = in_a_row(claims, progress);
  std::vector<Result<Served>> served = prober.handshake_all(targets, 0, tell);
  std::set<Address> broken;
  for (size_t i = 0; i < which.size(); ++i) {
    judge(claims[which[i]], served[i], progress[which[i]]);
    if (progress[which[i]].in_a_row == 0) broken.insert(claims[which[i]].target.address);
  }
  promising.merge(in_a_row(claims, progress));
  begin_anew(claims, broken, promising, progress);
}

// The first claim of each listener. Asking only these is cheap while the server still loads.
std::vector<size_t> sentinels(std::span<const Claim> claims) {
  std::map<Address, size_t> first;
  for (size_t i = 0; i < claims.size(); ++i) first.try_emplace(claims[i].target.address, i);
  std::vector<size_t> indices;
  for (const auto& [address, index] : first) indices.push_back(index);
  return indices;
}

std::vector<size_t> unproven(const std::vector<Progress>& progress) {
  std::vector<size_t> indices;
  for (size_t i = 0; i < progress.size(); ++i)
    if (!progress[i].proven()) indices.push_back(i);
  return indices;
}

Verdict conclude(std::span<const Claim> claims, const std::vector<Progress>& progress) {
  Verdict verdict{.proven = proven_count(progress), .total = claims.size(), .failures = {}};
  for (size_t index : unproven(progress)) {
    const std::string& last = progress[index].last;
    verdict.failures.push_back(
        fmt::format("{} {}", claims[index].text, last.empty() ? "was not asked" : last));
  }
  return verdict;
}

}  // namespace

std::vector<Claim> claims_for_new(std::span<const Expectation> expectations) {
  std::vector<Claim> claims;
  for (const Expectation& expected : expectations) {
    if (!expected.answered) continue;
    claims.push_back({.target = expected.new_target(),
                      .wanted = expected.new_thumbprint,
                      .unwanted = {},
                      .above = expected.new_above,
                      .text = expected.text()});
  }
  return claims;
}

std::vector<Claim> claims_for_old(std::span<const Expectation> expectations) {
  std::vector<Claim> claims;
  for (const Expectation& expected : expectations) {
    if (!expected.answered) continue;
    claims.push_back(
        {.target = expected.old_target(),
         .wanted = expected.old_thumbprint,
         .as_good = expected.in_memory,
         .unwanted = expected.is_forced() ? std::nullopt : std::optional(expected.new_thumbprint),
         .text = expected.text()});
  }
  return claims;
}

Verdict prove(const Prober& prober, Clock& clock, std::span<const Claim> claims,
              const ProofLimits& limits) {
  SteadyTime deadline = clock.steady() + limits.deadline;
  std::vector<Progress> progress = begin(claims);
  const std::vector<size_t> first = sentinels(claims);
  auto late = [&] { return clock.steady() >= deadline || (limits.gone && limits.gone()); };
  auto over = [&] { return unproven(progress).empty() || clock.steady() >= deadline; };
  auto advances = [&](const std::vector<size_t>& which) {
    look(prober, claims, which, progress, limits);
    return std::ranges::all_of(which, [&](size_t i) { return progress[i].promising(); });
  };
  while (limits.ready && !limits.ready() && !late()) clock.sleep(limits.poll_every);
  while (!over()) {
    // Ask all claims only once the first claim of every listener was answered as wanted, several
    // times.
    bool willing = true;
    for (int i = 0; willing && i < kInARow; ++i) willing = advances(first);
    while (willing && !over()) willing = advances(unproven(progress));
    if (over() || late()) break;
    clock.sleep(limits.poll_every);
  }
  return conclude(claims, progress);
}

}  // namespace certrebind
