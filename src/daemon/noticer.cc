#include "daemon/noticer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "lifecycle/attention.h"
#include "lifecycle/details.h"
#include "state/key_value.h"
#include "store/on_disk.h"
#include "store/read_pem.h"
#include "store/sightings.h"
#include "store/stores.h"
#include "store/successions.h"
#include "sys/changed_at.h"
#include "x509/key.h"

namespace certrebind {

namespace {

constexpr const char* kFirstLook = "first look is over";

}  // namespace

// The current files at a path.
struct Noticer::Seen {
  std::optional<Certificate> leaf;  // unset: no certificate at the path
  std::string path;
  std::string key;  // path of its key
  KeyState key_state = KeyState::none;

  std::string thumbprint() const { return leaf ? leaf->outline.thumbprint.hex() : ""; }
  bool is_whole() const { return leaf && key_state == KeyState::matches; }
  // Of a certificate.
  Place place() const {
    return {.path = path,
            .key = key,
            .thumbprint = thumbprint(),
            .not_before = leaf->outline.not_before,
            .not_after = leaf->outline.not_after};
  }
};

Noticer::Seen Noticer::see(const Watched& watched) const {
  Seen seen{.leaf = {}, .path = watched.certificate, .key = watched.key};
  auto bundle = read_bundle(files_, watched.certificate);
  if (!bundle) return seen;
  if (seen.key.empty()) seen.key = find_key(files_, watched.certificate, bundle->leaf).value_or("");
  auto key = read_pem(files_, seen.key);
  if (key) seen.key_state = certrebind::key_state(*key, bundle->leaf);
  seen.leaf = std::move(bundle->leaf);
  return seen;
}

// The thumbprint that was noticed there last; empty if none was.
Result<std::string> Noticer::known_at(const std::string& path) {
  return database_.guarded("look up a place", [&] {
    auto place = place_at(database_, path);
    return place ? place->thumbprint : std::string();
  });
}

Result<bool> Noticer::look(const Watched& watched) {
  auto known = known_at(watched.certificate);
  if (!known) return pass(known);
  Seen now = see(watched);
  if (now.is_whole() && now.thumbprint() != *known) {
    waiting_.erase(watched);
    given_up_.erase(watched.certificate);
    if (Done recorded = record(*known, now); !recorded) return pass(recorded);
    return true;
  }
  if (now.is_whole()) expect_expiry(now.place());  // certrebind import may have recorded it
  // A certificate that never had a key is not a server's certificate, but a chain or a root.
  bool ours = !known->empty() || (now.leaf && now.key_state != KeyState::none);
  auto given_up = given_up_.find(watched.certificate);
  bool hopeless = given_up != given_up_.end() && given_up->second == now.thumbprint();
  if (now.is_whole() || !ours || hopeless) {
    waiting_.erase(watched);
  } else {
    waiting_.try_emplace(watched, clock_.steady() + settings_.pair_patience);
  }
  return false;
}

Result<bool> Noticer::look_at_all(const std::set<Watched>& certificates) {
  std::set<std::string> gone;
  Done listed = database_.guarded("list the places", [&] {
    quiet_ = !stored_value(database_, kFirstLook);
    for (const Place& place : all_places(database_)) gone.insert(place.path);
  });
  if (!listed) return pass(listed);
  bool changed = false;
  for (const Watched& watched : certificates) {
    gone.erase(watched.certificate);
    auto looked = look(watched);
    if (!looked) return looked;
    changed = changed || *looked;
  }
  quiet_ = false;
  // A path that is no longer watched may be gone from disk, or only from a configuration.
  for (const std::string& path : gone) {
    auto looked = look({path, ""});
    if (!looked) return looked;
    changed = changed || *looked;
  }
  return changed;
}

Done Noticer::first_look_is_over() {
  return database_.atomically("note the first look",
                              [&] { store_value(database_, kFirstLook, "yes"); });
}

bool Noticer::lay_there_before(const std::string& old_thumbprint, const Seen& now) const {
  if (!quiet_ || !old_thumbprint.empty()) return false;
  auto changed = changed_at(files_, now.path);
  return changed && *changed < began_;
}

Done Noticer::record(const std::string& old_thumbprint, const Seen& now) {
  const CertificateOutline& outline = now.leaf->outline;
  Done remembered_now = remember(
      database_, {{.path = now.path, .thumbprint = outline.thumbprint, .der = now.leaf->der}},
      clock_.wall());
  if (!remembered_now) return remembered_now;
  return database_.atomically("log what was noticed", [&] {
    const Place place = now.place();
    expect_expiry(place);
    // certrebind import may have logged it since it was seen.
    if (auto known = place_at(database_, now.path); known && known->thumbprint == place.thumbprint)
      return;
    put_place(database_, place, clock_.wall());
    if (lay_there_before(old_thumbprint, now)) return;
    log_installed(now);
    if (!old_thumbprint.empty()) log_replaced(old_thumbprint, now);
  });
}

void Noticer::log(Event event) const {
  event.at = clock_.wall();
  append_event(database_, event);
}

void Noticer::log_installed(const Seen& now) {
  Event event{.id = EventId::installed,
              .new_thumbprint = now.thumbprint(),
              .names = now.leaf->outline.names,
              .message = fmt::format("{} was installed at {}", now.leaf->outline.thumbprint.brief(),
                                     printable(now.path)),
              .details = details_of(Described{now.leaf->der, now.path})};
  log(event);
  event.id = EventId::key_matched;
  event.message = fmt::format("its key lies at {}", printable(now.key));
  log(std::move(event));
}

// A succession is logged once, however many paths lead to the file, and not if a rebind logged it.
// The removal of OLD is logged with its last path.
void Noticer::log_replaced(const std::string& old_thumbprint, const Seen& now) {
  std::string renewer = renewer_at(files_, settings_.stores, now.path);
  bool is_new = add_succession(database_,
                               {.old_thumbprint = old_thumbprint,
                                .new_thumbprint = now.thumbprint(),
                                .how = How::same_place,
                                .renewer = renewer,
                                .path = now.path},
                               clock_.wall());
  const std::string old_der = der_of(old_thumbprint);
  if (is_new) log(replaced_event(old_thumbprint, old_der, now, renewer));
  if (lies_somewhere(database_, old_thumbprint)) return;
  log({.id = EventId::archived,
       .old_thumbprint = old_thumbprint,
       .names = now.leaf->outline.names,
       .message = fmt::format("{} was succeeded, and lies nowhere that is watched any more",
                              old_thumbprint.substr(0, 16)),
       .details = details_of(Described{old_der, now.path})});
}

Event Noticer::replaced_event(const std::string& old_thumbprint, const std::string& old_der,
                              const Seen& now, const std::string& renewer) {
  return {.id = EventId::replaced,
          .old_thumbprint = old_thumbprint,
          .new_thumbprint = now.thumbprint(),
          .names = now.leaf->outline.names,
          .message = fmt::format("{} replaced {} at {}{}", now.leaf->outline.thumbprint.brief(),
                                 old_thumbprint.substr(0, 16), printable(now.path),
                                 renewer.empty() ? "" : ", by " + renewer),
          .details = details_of(ReplacedDetails{.old_one = {old_der, now.path},
                                                .new_one = {now.leaf->der, now.path},
                                                .how = How::same_place,
                                                .renewer = renewer,
                                                .key_path = now.key})};
}

Result<bool> Noticer::give_up_waiting() {
  std::vector<Watched> over;
  for (const auto& [watched, deadline] : waiting_)
    if (deadline <= clock_.steady()) over.push_back(watched);
  bool logged = false;
  for (const Watched& watched : over) {
    auto late = look(watched);  // an event may have been missed
    if (!late) return late;
    logged = logged || *late;
    if (!waiting_.contains(watched)) continue;
    waiting_.erase(watched);
    if (Done gave_up = give_up(watched); !gave_up) return pass(gave_up);
    logged = true;
  }
  return logged;
}

Done Noticer::settle_encrypted(const Watched& watched, const Seen& now) {
  given_up_[watched.certificate] = now.thumbprint();
  auto known = known_at(watched.certificate);
  if (!known) return pass(known);
  return *known == now.thumbprint() ? Done() : record(*known, now);
}

// An encrypted key cannot be compared with its certificate here. If nothing came after it, it is
// taken for the right one; the server's own test tells.
Done Noticer::give_up(const Watched& watched) {
  Seen now = see(watched);
  if (now.leaf && now.key_state == KeyState::encrypted) return settle_encrypted(watched, now);
  return database_.atomically("log what was waited for", [&] {
    auto place = place_at(database_, watched.certificate);
    std::string known = place ? place->thumbprint : "";
    if (now.leaf) {
      given_up_[watched.certificate] = now.thumbprint();
      log({.id = EventId::key_not_matched,
           .old_thumbprint = known,
           .new_thumbprint = now.thumbprint(),
           .names = now.leaf->outline.names,
           .message =
               fmt::format("{} at {}: the key {} {}", now.leaf->outline.thumbprint.brief(),
                           printable(now.path), now.key.empty() ? "beside it" : printable(now.key),
                           certrebind::to_text(now.key_state)),
           .details = details_of(Described{now.leaf->der, now.path})});
    } else {
      log_gone(watched, known);
    }
  });
}

void Noticer::log_gone(const Watched& watched, const std::string& thumbprint) {
  drop_place(database_, watched.certificate);
  if (thumbprint.empty()) return;
  if (lies_somewhere(database_, thumbprint)) return;
  log({.id = EventId::deleted,
       .old_thumbprint = thumbprint,
       .message = fmt::format("{} lies no more at {}", thumbprint.substr(0, 16),
                              printable(watched.certificate)),
       .details = details_of(Described{der_of(thumbprint), watched.certificate})});
}

std::string Noticer::der_of(const std::string& thumbprint) const {
  SQLite::Statement select(database_.handle(),
                           "SELECT der FROM sightings WHERE thumbprint = ? LIMIT 1");
  select.bind(1, thumbprint);
  return select.executeStep() ? select.getColumn(0).getString() : std::string();
}

std::optional<SteadyTime> Noticer::next_deadline() const {
  std::optional<SteadyTime> next;
  for (const auto& [watched, deadline] : waiting_)
    if (!next || deadline < *next) next = deadline;
  return next;
}

Done Noticer::prune_log() {
  auto oldest = clock_.wall() - std::chrono::days(settings_.log_days);
  return database_.atomically("keep the log within bounds", [&] {
    SQLite::Statement erase(database_.handle(),
                            "DELETE FROM events WHERE at_ms < ? OR record <= (SELECT max(record) "
                            "FROM events) - ?");
    erase.bind(1, static_cast<int64_t>(oldest.time_since_epoch().count()));
    erase.bind(2, settings_.log_events);
    erase.exec();
  });
}

}  // namespace certrebind
