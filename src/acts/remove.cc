#include "acts/remove.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "acts/mentions.h"
#include "acts/pending_look.h"
#include "base/text.h"
#include "lifecycle/details.h"
#include "lifecycle/events.h"
#include "observe/observation.h"
#include "store/bound.h"
#include "store/kept.h"
#include "store/watched_places.h"
#include "survey/policy.h"

namespace certrebind {

namespace {

// Who uses the files of one certificate, or shows it.
class UserFinder {
 public:
  UserFinder(const Looking& at, const OwnCertificate& own)
      : at_(at),
        own_(own),
        home_(own.home()),
        real_home_(at.host.files.real_path(home_).value_or(home_)),
        generations_(generations(at.host.files, own)) {}

  void add_bound(const std::vector<SurveyedBinding>& bindings) {
    for (const SurveyedBinding& bound : bindings)
      for (const std::string& path :
           {bound.binding.certificate.path, bound.binding.key.path, bound.binding.chain.path})
        if (lies_here(path)) sites_.insert(bound.binding.site);
  }
  // Also of servers that are stopped.
  void add_recorded(const std::vector<BoundRow>& rows) {
    for (const BoundRow& row : rows)
      if (lies_here(row.certificate) || lies_here(row.key)) sites_.insert(row.site);
  }
  void add_serving(const Survey& survey) {
    const auto looks = look_at_all(at_.asker, survey, {});
    for (size_t i = 0; i < looks.size(); ++i)
      for (const Look& look : looks[i])
        if (look.served && is_generation(look.served->thumbprint))
          sites_.insert(survey.bindings[i].binding.site);
  }
  // Directives that bind nothing, such as the CA of clients.
  void add_mentions(const Files& files, const std::vector<std::string>& configured_by) {
    for (const std::string& path : configured_by) {
      auto text = files.read(path, kConfigLimit);  // a directory is none
      if (const int line = text ? line_mentioning(*text, own_) : 0; line != 0)
        sites_.insert(fmt::format("{}:{}", path, line));
    }
  }
  std::vector<std::string> take() { return {sites_.begin(), sites_.end()}; }

 private:
  bool lies_here(const std::string& path) const {
    if (path.empty()) return false;
    if (is_within(normalized(path), home_)) return true;
    auto real = at_.host.files.real_path(path);
    return real && is_within(*real, real_home_);
  }
  bool is_generation(const Thumbprint& thumbprint) const {
    return std::ranges::find(generations_, thumbprint) != generations_.end();
  }

  const Looking& at_;
  const OwnCertificate& own_;
  const std::string home_, real_home_;
  const std::vector<Thumbprint> generations_;
  std::set<std::string> sites_;  // or FILE:LINE
};

// The daemon finds that the places are gone already, and logs nothing a second time.
Done log_removed(const TransactionContext& context, const OwnCertificate& own, const OnDisk& was,
                 EventId id, const std::string& what) {
  Database& database = context.state.database();
  return database.atomically("log the removal", [&] {
    for (const Place& place : all_places(database))
      if (is_within(place.path, own.home())) drop_place(database, place.path);
    append_event(database,
                 {.id = id,
                  .at = context.host.clock.wall(),
                  .old_thumbprint = was.certificate ? was.certificate->thumbprint.hex() : "",
                  .names = was.certificate ? was.certificate->names : std::vector<std::string>(),
                  .message = what,
                  .details = details_of(Described{was.der, own.certificate_path()})});
  });
}

}  // namespace

Result<std::vector<std::string>> users_of(const Looking& at, Database& database,
                                          const OwnCertificate& own) {
  auto surveyed = survey(at.host, {});
  if (!surveyed) return pass(surveyed);
  if (is_overlooked(*surveyed))
    return fail(Code::failed, "remove", own.name,
                "the configuration of a server could not be read, and may name it",
                "certrebind check");
  leave_alone(at.settings, *surveyed);
  auto recorded = bound_rows(database);
  if (!recorded) return pass(recorded);
  auto configured = configuration_paths(database);
  if (!configured) return pass(configured);
  UserFinder finder(at, own);
  finder.add_bound(surveyed->bindings);
  finder.add_bound(surveyed->shadowed);
  finder.add_recorded(*recorded);
  finder.add_serving(*surveyed);
  for (const SurveyedService& each : surveyed->surveyed)
    finder.add_mentions(each.service->files(), each.configured_by);
  finder.add_mentions(at.host.files, *configured);
  return finder.take();
}

std::string archive_of(const OwnCertificate& own) {
  return parent_directory(own.directory) + "/archive";
}

Result<std::string> archive_certificate(const TransactionContext& context,
                                        const OwnCertificate& own) {
  const OnDisk was = look_at(context.host.files, own.certificate_path());
  auto there = archive_own(context.host.files, own, archive_of(own));
  if (!there) return there;
  Done logged =
      log_removed(context, own, was, EventId::archived,
                  fmt::format("{} was removed from certrebind's store, and is archived at {}",
                              own.name, printable(*there)));
  return logged ? std::move(there) : Result<std::string>(pass(logged));
}

Done purge_certificate(const TransactionContext& context, const OwnCertificate& own) {
  const OnDisk was = look_at(context.host.files, own.certificate_path());
  // Their copies first: while the store has them, this can be done again.
  for (const Thumbprint& each : generations(context.host.files, own))
    if (Done gone = forget_pairs(context.host.files, context.settings.state_directory, each); !gone)
      return gone;
  if (Done gone = delete_own(context.host.files, own); !gone) return gone;
  return log_removed(context, own, was, EventId::deleted,
                     fmt::format("{} was deleted from certrebind's store, with its key", own.name));
}

}  // namespace certrebind
