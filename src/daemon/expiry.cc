// Finds certificates that are about to expire; a part of the noticer.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "daemon/noticer.h"
#include "lifecycle/details.h"

namespace certrebind {

namespace {

constexpr std::array kWarnDays = {
    7, 1};  // days before the end, in addition to the configured part of the lifetime

// A time in the life of a certificate that is logged once.
struct Threshold {
  std::string name;
  WallTime at;
  bool is_end = false;
};

std::vector<Threshold> thresholds_of(const Place& place, const Settings& settings) {
  auto lifetime = place.not_after - place.not_before;
  auto part = std::chrono::duration_cast<milliseconds>(lifetime * settings.expiry_fraction);
  milliseconds most = std::chrono::days(settings.expiry_days);
  std::vector<Threshold> all = {{fmt::format("{:g} % of its life", settings.expiry_fraction * 100),
                                 place.not_after - std::min(part, most)}};
  for (int days : kWarnDays)
    // A certificate with a lifetime of six days should not cause a warning from its first day on.
    if (std::chrono::days(days) * 2 < lifetime)
      all.push_back(
          {count_of(static_cast<size_t>(days), "day"), place.not_after - std::chrono::days(days)});
  all.push_back({"expired", place.not_after, true});
  std::ranges::stable_sort(all, {}, &Threshold::at);
  return all;
}

using Told = std::set<std::pair<std::string, std::string>>;  // thumbprint, threshold

Told read_told(Database& database) {
  Told told;
  SQLite::Statement select(database.handle(), "SELECT thumbprint, threshold FROM thresholds");
  while (select.executeStep())
    told.emplace(select.getColumn(0).getString(), select.getColumn(1).getString());
  return told;
}

void mark_told(Database& database, Told& told, const Place& place, const Threshold& threshold) {
  told.emplace(place.thumbprint, threshold.name);
  SQLite::Statement insert(database.handle(), "INSERT OR IGNORE INTO thresholds VALUES (?, ?)");
  insert.bind(1, place.thumbprint);
  insert.bind(2, threshold.name);
  insert.exec();
}

std::optional<WallTime> sooner(std::optional<WallTime> one, WallTime other) {
  return one ? std::min(*one, other) : other;
}

}  // namespace

void Noticer::expect_expiry(const Place& place) {
  for (const Threshold& threshold : thresholds_of(place, settings_))
    next_expiry_ = sooner(next_expiry_, threshold.at);
}

Result<bool> Noticer::note_expiry() {
  WallTime now = clock_.wall();
  if (!next_expiry_ || *next_expiry_ > now) return false;
  bool logged = false;
  Done noted = database_.atomically("log what expires", [&] {
    std::optional<WallTime> next;
    Told told = read_told(database_);
    for (const Place& place : all_places(database_)) {
      if (place.thumbprint.empty()) continue;
      // Several thresholds may have passed at once; only the last is logged.
      std::optional<Threshold> last;
      for (const Threshold& threshold : thresholds_of(place, settings_)) {
        if (threshold.at > now) next = sooner(next, threshold.at);
        if (threshold.at > now || told.contains({place.thumbprint, threshold.name})) continue;
        mark_told(database_, told, place, threshold);
        last = threshold;
      }
      if (last) log_expiry(place, last->name, last->is_end);
      logged = logged || last;
    }
    next_expiry_ = next;
  });
  if (!noted) return pass(noted);
  return logged;
}

void Noticer::log_expiry(const Place& place, const std::string& left, bool is_over) {
  std::string what = fmt::format("{} at {}", place.thumbprint.substr(0, 16), printable(place.path));
  std::string end = to_text(place.not_after);
  log({.id = is_over ? EventId::expired : EventId::about_to_expire,
       .old_thumbprint = place.thumbprint,
       .message = is_over ? fmt::format("{} expired on {} UTC", what, end)
                          : fmt::format("{} expires on {} UTC: {} left", what, end, left),
       .details = details_of(Described{der_of(place.thumbprint), place.path})});
}

}  // namespace certrebind
