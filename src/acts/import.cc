#include "acts/import.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "lifecycle/details.h"
#include "lifecycle/events.h"
#include "observe/observation.h"
#include "store/sightings.h"
#include "store/stores.h"
#include "store/successions.h"
#include "store/watched_places.h"
#include "survey/policy.h"
#include "sys/safe_way.h"
#include "x509/name_match.h"

namespace certrebind {

namespace {

std::optional<OldCertificate> old_one_at(const Files& files, const std::string& path) {
  auto bundle = read_bundle(files, path);
  if (!bundle) return std::nullopt;
  const Thumbprint thumbprint = bundle->leaf.outline.thumbprint;
  return OldCertificate{.thumbprint = thumbprint, .bundle = std::move(*bundle), .has_file = true};
}

NewCertificate checked(const ImportRequest& request) {
  const Credentials& credentials = request.credentials;
  NewCertificate new_one;
  new_one.bundle = credentials.bundle;
  new_one.files = request.from;
  new_one.key = request.key;
  return new_one;
}

// Clients that have never met the intermediate cannot build a chain.
void check_completeness(const Credentials& credentials, std::vector<Finding>& findings) {
  const Bundle& bundle = credentials.bundle;
  if (credentials.has_root || bundle.leaf.is_self_signed() || !bundle.chain.empty() ||
      ends_in_trusted_root(bundle))
    return;
  findings.push_back(
      {Severity::warning,
       fmt::format("the intermediate certificate is missing: {} issued this one, and "
                   "clients may not know it",
                   printable(bundle.leaf.issuer_line)),
       "get the full chain from the issuer, and import it again with that"});
}

// What is not in it stays without a certificate, and the request is closed.
void check_requested(const ImportRequest& request, std::vector<Finding>& findings) {
  std::vector<std::string> missing;
  for (const std::string& name : request.requested)
    if (!covers(request.credentials.bundle.leaf.outline.names, name))
      missing.push_back(printable(name));
  if (missing.empty()) return;
  findings.push_back({.severity = Severity::error,
                      .sentence = fmt::format("it does not cover {}, which the request asks for",
                                              join(missing, ", ")),
                      .next = "ask the CA for the names of the request",
                      .risk = Risk::name_lost});
}

// Logs the events of one import within one transaction of the database.
class ImportLog {
 public:
  ImportLog(const TransactionContext& context, const ImportRequest& request)
      : context_(context),
        request_(request),
        leaf_(request.credentials.bundle.leaf),
        now_(context.host.clock.wall()) {}

  Done key_refused(KeyState state) {
    return atomically([&] {
      log({.id = EventId::key_not_matched,
           .new_thumbprint = leaf_.outline.thumbprint.hex(),
           .names = leaf_.outline.names,
           .message = fmt::format("{} was not imported: its key {}",
                                  leaf_.outline.thumbprint.brief(), to_text(state)),
           .details = details_of(Described{leaf_.der, printable(request_.from.certificate)})});
    });
  }

  // The daemon finds these places up to date, and logs nothing a second time.
  Done imported(const std::optional<OldCertificate>& before) {
    const std::string path = request_.own.certificate_path();
    std::vector<Sighting> seen = {
        {.path = path, .thumbprint = leaf_.outline.thumbprint, .der = leaf_.der}};
    if (before)  // first, as it came first
      seen.insert(seen.begin(),
                  {.path = path, .thumbprint = before->thumbprint, .der = before->bundle.leaf.der});
    if (Done noted = remember(database(), seen, now_); !noted) return noted;
    return atomically([&] {
      // The daemon may have noticed it already, and then has logged it.
      if (auto known = place_at(database(), path);
          known && known->thumbprint == leaf_.outline.thumbprint.hex())
        return;
      put_places();
      log_installed();
      if (before && before->thumbprint != leaf_.outline.thumbprint) log_replaced(*before);
    });
  }

 private:
  Database& database() { return context_.state.database(); }
  Done atomically(const std::function<void()>& log_all) {
    return database().atomically("log the import", log_all);
  }
  void log(Event event) {
    event.at = now_;
    append_event(database(), event);
  }

  // Every file of the store that somebody reads has the new certificate from the same moment on.
  void put_places() {
    Place place{.path = request_.own.certificate_path(),
                .key = request_.own.key_path(),
                .thumbprint = leaf_.outline.thumbprint.hex(),
                .not_before = leaf_.outline.not_before,
                .not_after = leaf_.outline.not_after};
    put_place(database(), place, now_);
    for (const Place& known : all_places(database())) {
      if (!is_within(known.path, request_.own.current())) continue;
      place.path = known.path;
      place.key = known.key;
      put_place(database(), place, now_);
    }
  }

  void log_installed() {
    const std::string path = printable(request_.own.certificate_path());
    Event event{.id = EventId::installed,
                .new_thumbprint = leaf_.outline.thumbprint.hex(),
                .names = leaf_.outline.names,
                .message = fmt::format("{} was installed at {}, by certrebind import",
                                       leaf_.outline.thumbprint.brief(), path),
                .details = details_of(Described{leaf_.der, request_.own.certificate_path()})};
    log(event);
    event.id = EventId::key_matched;
    event.message = fmt::format("its key lies at {}", printable(request_.own.key_path()));
    log(std::move(event));
  }

  void log_replaced(const OldCertificate& before) {
    const std::string path = request_.own.certificate_path();
    const std::string old_hex = before.thumbprint.hex();
    const Described old_one{before.bundle.leaf.der, path};
    const bool is_new = add_succession(database(),
                                       {.old_thumbprint = old_hex,
                                        .new_thumbprint = leaf_.outline.thumbprint.hex(),
                                        .how = How::same_place,
                                        .renewer = kOwnKind,
                                        .path = path},
                                       now_);
    if (is_new)
      log({.id = EventId::replaced,
           .old_thumbprint = old_hex,
           .new_thumbprint = leaf_.outline.thumbprint.hex(),
           .names = leaf_.outline.names,
           .message = fmt::format("{} replaced {} at {}, by certrebind import",
                                  leaf_.outline.thumbprint.brief(), before.thumbprint.brief(),
                                  printable(path)),
           .details = details_of(ReplacedDetails{.old_one = old_one,
                                                 .new_one = {leaf_.der, path},
                                                 .how = How::same_place,
                                                 .renewer = kOwnKind,
                                                 .key_path = request_.own.key_path()})});
    if (lies_somewhere(database(), old_hex)) return;
    log({.id = EventId::archived,
         .old_thumbprint = old_hex,
         .names = leaf_.outline.names,
         .message = fmt::format("{} was succeeded, and is an earlier generation of {}",
                                before.thumbprint.brief(), printable(request_.own.name)),
         .details = details_of(old_one)});
  }

  const TransactionContext& context_;
  const ImportRequest& request_;
  const Certificate& leaf_;
  const WallTime now_;
};

bool have_same_names(const CertificateOutline& one, const CertificateOutline& other) {
  return std::ranges::is_permutation(one.names, other.names);
}

// Which bindings use a certificate that the imported one succeeds.
class SuccessionFinder {
 public:
  SuccessionFinder(const TransactionContext& context, const ImportRequest& request)
      : context_(context), request_(request), leaf_(request.credentials.bundle.leaf.outline) {}

  std::vector<Succeeded> find(const Survey& survey, const ImportResult& result) {
    for (const SurveyedBinding& bound : survey.bindings) {
      if (!bound.service->trust().is_ours() || !bound.disk || !bound.disk->certificate) continue;
      if (bound.holds(leaf_.thumbprint)) {
        // The server may still have the generation before in memory.
        if (result.is_new && result.replaced && reads_from_here(bound))
          add(*result.replaced, bound);
      } else if (is_earlier(*bound.disk->certificate) &&
                 (has_no_renewer(bound) || lies_here(bound))) {
        add(bound.disk->certificate->thumbprint, bound);
      }
    }
    add_serving(survey);
    return std::move(found_);
  }

 private:
  bool reads_from_here(const SurveyedBinding& bound) const {
    return is_within(normalized(bound.binding.certificate.path), request_.own.current());
  }
  bool is_automatic(const SurveyedBinding& bound) const {
    const Policy* policy = policy_for(context_.settings, bound);
    return policy == nullptr ||
           (policy->automatic == Policy::Automatic::yes && policy->window.empty());
  }
  bool lies_here(const SurveyedBinding& bound) const {
    return is_within(normalized(bound.binding.certificate.path), request_.own.home());
  }
  // Bound to the current files, but not reloaded since an earlier import.
  void add_serving(const Survey& survey) {
    const std::vector<Thumbprint> all = generations(context_.host.files, request_.own);
    auto is_bound_here = [&](const SurveyedBinding& bound) {
      return bound.service->trust().is_ours() && bound.holds(leaf_.thumbprint) &&
             reads_from_here(bound);
    };
    Asker asker(context_.prober);
    const auto looks = look_at_all(asker, survey, {}, is_bound_here);
    for (size_t i = 0; i < looks.size(); ++i)
      for (const Look& look : looks[i])
        if (look.served && look.served->thumbprint != leaf_.thumbprint &&
            std::ranges::find(all, look.served->thumbprint) != all.end())
          add(look.served->thumbprint, survey.bindings[i]);
  }
  bool is_earlier(const CertificateOutline& old_one) const {
    return have_same_names(old_one, leaf_) && old_one.key_type == leaf_.key_type &&
           old_one.not_after < leaf_.not_after && old_one.not_before <= leaf_.not_before;
  }
  // A site whose certificate a renewer keeps fresh stays with it.
  bool has_no_renewer(const SurveyedBinding& bound) const {
    return renewer_at(context_.host.files, context_.settings.stores, bound.binding.certificate.path)
        .empty();
  }
  void add(const Thumbprint& old_one, const SurveyedBinding& bound) {
    auto known = std::ranges::find(found_, old_one, &Succeeded::old_one);
    if (known == found_.end())
      known = found_.insert(found_.end(), {.old_one = old_one, .sites = {}});
    known->automatic = known->automatic && reads_from_here(bound) && is_automatic(bound);
    if (std::ranges::find(known->sites, bound.binding.site) == known->sites.end())
      known->sites.push_back(bound.binding.site);
  }

  const TransactionContext& context_;
  const ImportRequest& request_;
  const CertificateOutline& leaf_;
  std::vector<Succeeded> found_;
};

}  // namespace

Result<ImportResult> import_certificate(const TransactionContext& context,
                                        const std::vector<ServiceId>& only,
                                        const ImportRequest& request) {
  Files& files = context.host.files;
  const NewCertificate new_one = checked(request);
  const std::optional<OldCertificate> before = old_one_at(files, request.own.certificate_path());
  ImportResult result;
  if (request.credentials.key_pem.empty()) {
    result.findings.push_back(
        {Severity::error,
         fmt::format("there is no private key for it in {}, nor in an open request",
                     request.from.certificate),
         "give the key with --key FILE"});
    return result;
  }
  ImportLog log(context, request);
  result.findings =
      preflight_stored(before ? &*before : nullptr, new_one, context.host.clock.wall());
  check_completeness(request.credentials, result.findings);
  check_requested(request, result.findings);
  accept(request.accepted, request.command, result.findings);
  if (refuses(result.findings)) {
    const bool is_anothers =
        new_one.key == KeyState::of_another || new_one.key == KeyState::damaged;
    Done logged = is_anothers ? log.key_refused(new_one.key) : Done();
    return logged ? Result<ImportResult>(std::move(result)) : pass(logged);
  }
  result.is_new = !is_current(files, request.own, request.credentials);
  if (before && before->thumbprint != new_one.bundle.leaf.outline.thumbprint)
    result.replaced = before->thumbprint;
  if (result.is_new)
    if (Done written = write_generation(files, request.own, request.credentials); !written)
      return pass(written);
  // A crash may have come before this the last time.
  if (Done logged = log.imported(
          result.is_new ? before : old_one_at(files, earlier_certificate(files, request.own)));
      !logged)
    result.unfinished = logged.error();
  auto surveyed = survey(context.host, only);
  if (surveyed) leave_alone(context.settings, *surveyed);
  if (surveyed)
    result.succeeded = SuccessionFinder(context, request).find(*surveyed, result);
  else
    result.unfinished = surveyed.error();
  return result;
}

}  // namespace certrebind
