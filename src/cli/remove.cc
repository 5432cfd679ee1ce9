#include "acts/remove.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "acts/inventory.h"
#include "base/text.h"
#include "cli/acting.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/renewer_output.h"
#include "cli/typed_input.h"
#include "sys/safe_way.h"

namespace certrebind {

namespace {

constexpr size_t kSitesNamed = 3;

struct RemoveTyped {
  std::string certificate;
  std::string store;
  bool purge = false;
  bool yes = false;
};

std::vector<OwnCertificate> all_own(Context& context, const RemoveTyped& typed) {
  if (!typed.store.empty()) return own_certificates(context.host().files, absolute(typed.store));
  std::vector<OwnCertificate> all;
  for (const StoreSetting& store : context.settings().stores)
    if (store.kind == kOwnKind)
      std::ranges::move(own_certificates(context.host().files, store.path),
                        std::back_inserter(all));
  return all;
}

bool has_thumbprint(const Files& files, const OwnCertificate& own,
                    const Result<TypedThumbprint>& typed) {
  if (!typed) return false;
  OnDisk disk = look_at(files, own.certificate_path());
  return disk.certificate && typed->matches(disk.certificate->thumbprint, disk.der);
}

// A whole thumbprint wins over a name that looks like one.
std::vector<OwnCertificate> those_meant(Context& context, const RemoveTyped& typed) {
  const Files& files = context.host().files;
  const std::string& certificate = typed.certificate;
  const auto thumbprint = TypedThumbprint::parse(certificate);
  std::vector<OwnCertificate> meant, named;
  for (const OwnCertificate& own : all_own(context, typed)) {
    const bool has_it = has_thumbprint(files, own, thumbprint);
    if (has_it) meant.push_back(own);
    if (has_it || own.name == certificate || is_within(absolute(certificate), own.home()))
      named.push_back(own);
  }
  return !meant.empty() && thumbprint->is_whole() ? meant : named;
}

// Why it is none of ours.
Error not_ours(Context& context, const std::string& typed) {
  const Error unknown = {Code::not_found, "remove", printable(typed),
                         "certrebind's own store has no such certificate",
                         "certrebind certificates"};
  auto surveyed = survey(context.host(), context.only());
  if (!surveyed) return unknown;
  const std::string wanted = typed.find('/') == std::string::npos ? typed : absolute(typed);
  for (const InventoryItem& item :
       take_inventory(context.host().files, context.settings(), *surveyed))
    if (is_meant(item, wanted))
      return {Code::failed, "remove", printable(typed),
              fmt::format("it lies at {}, outside certrebind's own store, and is renewed by {}",
                          printable(item.path), renewer_text(item.renewer)),
              "remove it with the program that made it"};
  return unknown;
}

Result<OwnCertificate> find_own(Context& context, const RemoveTyped& typed) {
  const std::vector<OwnCertificate> found = those_meant(context, typed);
  if (found.empty()) return fail(not_ours(context, typed.certificate));
  if (found.size() == 1) return found.front();
  return fail(
      Code::usage, "remove", printable(typed.certificate),
      fmt::format("it means {} and {}", printable(found[0].home()), printable(found[1].home())),
      "name the path of one");
}

Done must_be_unused(Context& context, Database& database, const OwnCertificate& own) {
  auto users = users_of(context.looking(), database, own);
  if (!users) return pass(users);
  if (users->empty()) return {};
  return fail(Code::failed, "remove", own.name,
              "it is used by " + printable(few_of(*users, kSitesNamed)),
              fmt::format("certrebind rebind {} NEW; of a server that is gone: certrebind forget",
                          shell_quoted(own.certificate_path())));
}

std::string command_of(const RemoveTyped& typed, const OwnCertificate& own) {
  const std::string store =
      typed.store.empty() ? "" : " --store " + shell_quoted(printable(own.directory));
  return "certrebind remove " + own.name + store;
}

int remove_certificate(Context& context, const RemoveTyped& typed) {
  if (Done root = only_root("remove", printable(typed.certificate)); !root)
    return report(root.error());
  if (!typed.store.empty())
    if (Done safe = SafeWay(context.host().files).to_content(absolute(typed.store)); !safe)
      return report(safe.error());
  auto asked = find_own(context, typed);
  if (!asked) return report(asked.error());
  // A person may think for hours, and meanwhile the daemon works. So the lock, and what is checked
  // under it, come after the answer.
  if (typed.purge && !typed.yes &&
      !is_confirmed("Delete " + asked->name + " and its key for ever?"))
    return report({Code::failed, "delete", asked->name,
                   "its key would be gone, and nobody said yes",
                   command_of(typed, *asked) + " --purge --yes"});
  auto acting = Acting::begin(context);
  if (!acting) return report(acting.error());
  const TransactionContext& acts = (*acting)->transaction_context();
  auto own = find_own(context, typed);
  if (!own) return report(own.error());
  if (own->home() != asked->home())
    return report({Code::failed, "delete", printable(typed.certificate),
                   "it means another certificate now than before the answer",
                   "certrebind certificates"});
  if (Done unused = must_be_unused(context, acts.state.database(), *own); !unused)
    return report(unused.error());
  std::string archived;
  if (typed.purge) {
    if (Done purged = purge_certificate(acts, *own); !purged) return report(purged.error());
  } else {
    auto there = archive_certificate(acts, *own);
    if (!there) return report(there.error());
    archived = std::move(*there);
  }
  note_change();
  if (context.json())
    print_json(
        {{"removed", own->name}, {"archived", typed.purge ? Json() : Json(printable(archived))}});
  else
    print_line(own->name + (typed.purge ? " and its key are deleted"
                                        : " is archived at " + printable(archived)));
  return kDone;
}

}  // namespace

CommandSpec remove_command() {
  auto typed = std::make_shared<RemoveTyped>();
  return {.name = "remove",
          .summary = "take a certificate that no site uses out of certrebind's own store",
          .options = {{"certificate", &typed->certificate,
                       "its name in the store, its thumbprint or its path", "CERT|NAME",
                       Need::required},
                      {"--store", &typed->store, "only in this directory, as of import", "DIR"},
                      {"--purge", &typed->purge, "delete it with its key, instead of archiving it"},
                      {"--yes", &typed->yes, "do not ask"}},
          .footer =
              "It is moved to archive/ beside the store. Certificates of other stores are left to "
              "the\nprograms that renew them.\n"
              "Example:\n  certrebind remove old.example.com",
          .run = [typed](Context& context) { return remove_certificate(context, *typed); },
          .takes_services = false};
}

}  // namespace certrebind
