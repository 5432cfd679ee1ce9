// When certificates are about to expire: the noticer's clockwork.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "daemon/noticer.h"
#include "lifecycle/details.h"

namespace certrebind {

namespace {

constexpr std::array kWarnDays = {7, 1};  // before the end, beside the settings' part of its life

// A moment in the life of a certificate that is told once.
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
    // A certificate that lives six days is not warned of from its first day on.
    if (std::chrono::days(days) * 2 < lifetime)
      all.push_back(
          {count_of(static_cast<size_t>(days), "day"), place.not_after - std::chrono::days(days)});
  all.push_back({"expired", place.not_after, true});
  std::ranges::stable_sort(all, {}, &Threshold::at);
  return all;
}

bool was_told(Database& database, const Place& place, const Threshold& threshold) {
  SQLite::Statement select(database.handle(),
                           "SELECT 1 FROM thresholds WHERE thumbprint = ? AND threshold = ?");
  select.bind(1, place.thumbprint);
  select.bind(2, threshold.name);
  return select.executeStep();
}

void mark_told(Database& database, const Place& place, const Threshold& threshold) {
  SQLite::Statement insert(database.handle(), "INSERT OR IGNORE INTO thresholds VALUES (?, ?)");
  insert.bind(1, place.thumbprint);
  insert.bind(2, threshold.name);
  insert.exec();
}

}  // namespace

Result<bool> Noticer::note_expiry() {
  bool logged = false;
  WallTime now = clock_.wall();
  Done noted = database_.atomically("log what expires", [&] {
    for (const Place& place : all_places(database_)) {
      if (place.thumbprint.empty()) continue;
      // Several thresholds may have passed at once: the last says it all.
      std::optional<Threshold> last;
      for (const Threshold& threshold : thresholds_of(place, settings_)) {
        if (threshold.at > now || was_told(database_, place, threshold)) continue;
        mark_told(database_, place, threshold);
        last = threshold;
      }
      if (!last) continue;
      logged = true;
      log({.id = last->is_end ? EventId::expired : EventId::about_to_expire,
           .old_thumbprint = place.thumbprint,
           .message =
               last->is_end
                   ? fmt::format("{} at {} expired on {} UTC", place.thumbprint.substr(0, 16),
                                 printable(place.path), to_text(place.not_after))
                   : fmt::format("{} at {} expires on {} UTC: {} left",
                                 place.thumbprint.substr(0, 16), printable(place.path),
                                 to_text(place.not_after), last->name),
           .details = details_of(Described{der_of(place.thumbprint), place.path})});
    }
  });
  if (!noted) return pass(noted);
  return logged;
}

Result<std::optional<WallTime>> Noticer::next_expiry() {
  return database_.guarded("look up what expires next", [&] {
    std::optional<WallTime> next;
    for (const Place& place : all_places(database_))
      if (!place.thumbprint.empty())
        for (const Threshold& threshold : thresholds_of(place, settings_))
          if (!was_told(database_, place, threshold) && (!next || threshold.at < *next))
            next = threshold.at;
    return next;
  });
}

}  // namespace certrebind
