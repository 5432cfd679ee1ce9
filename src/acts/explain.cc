#include "acts/explain.h"

#include <fmt/format.h>

#include "acts/inventory.h"
#include "base/text.h"
#include "survey/key_types.h"
#include "survey/policy.h"

namespace certrebind {

namespace {

std::string key_text(const SurveyedBinding& bound) {
  if (!bound.disk || !bound.disk->certificate) return "";
  auto key = PairOnDisk(bound).key();
  return key ? to_text(*key) : "cannot be read: " + key.error().cause;
}

std::string served_text(const Explained& explained) {
  if (!explained.served) return "not probed";
  const Result<Served>& served = *explained.served;
  if (!served) return "no handshake: " + printable(served.error().cause);
  const auto& disk = explained.answer.bound->disk;
  std::string text = served->thumbprint.brief();
  if (!disk || !disk->certificate) return text;
  if (served->thumbprint == disk->certificate->thumbprint)
    return text + ": the certificate on disk";
  return text + ": NOT the certificate on disk; next: certrebind check";
}

// Whether a directive of this kind of server can name the item's files: a combined file, say,
// cannot be replaced by two.
bool can_name(const SurveyedBinding& bound, const InventoryItem& item) {
  auto edits = bound.service->repoint(bound.binding, {item.path, item.key_path});
  return edits || edits.error().code != Code::unsupported;
}

// How the next certificate reaches this binding, policies aside.
std::string way_of(const Explained& explained, const std::vector<InventoryItem>& items) {
  const SurveyedBinding& bound = *explained.answer.bound;
  const Binding& binding = bound.binding;
  const std::string& path = binding.certificate.path;
  if (path.empty()) return "";
  std::string in_place =
      fmt::format("if it is written to {}, it is tested, loaded and proven", printable(path));
  if (explained.renewer) return in_place;
  if (!binding.not_editable.empty()) return in_place;
  for (const InventoryItem& item : items)
    if (item.renewer && bound.holds(item.certificate.thumbprint) && item.path != path)
      return fmt::format("{} renews {}, and this is a copy: {}", printable(item.renewer->renewer),
                         printable(item.path),
                         can_name(bound, item) ? "the directive will be changed to name it"
                                               : "its content will be replaced");
  return in_place +
         "; if it is put into a store and has the same names, the directive will be changed to "
         "name it, or the content of this file where no directive can";
}

std::string next_text(const Looking& at, const Automation& automation, const Explained& explained,
                      const std::vector<InventoryItem>& items) {
  const SurveyedBinding& bound = *explained.answer.bound;
  std::string way = way_of(explained, items);
  if (way.empty()) return "nothing: " + printable(bound.binding.not_editable);
  if (bound.waits_for_restart())
    return "nothing until a restart: " + bound.binding.restart_only + "; " + kRestartIt;
  const Policy* policy = policy_for(at.settings, bound);
  if (policy && policy->automatic == Policy::Automatic::no)
    return "nothing automatic: a policy excludes it; use certrebind rebind";
  if (policy && policy->automatic == Policy::Automatic::notify)
    return "only a notification: a policy says to notify only; use certrebind rebind";
  if (!automation.enabled)
    return "nothing automatic: not enabled (certrebind enable); with certrebind rebind: " + way;
  std::string when = policy && !policy->window.empty() ? ", within " + policy->window : "";
  if (!automation.running) way += "; the daemon is not running: systemctl start certrebind";
  return "automatic" + when + ": " + way;
}

void ask_what_is_served(const Looking& at, const Survey& survey, std::vector<Explained>& all) {
  const Rivals rivals(survey);
  std::vector<Target> targets;
  std::vector<Explained*> asked;
  for (Explained& explained : all) {
    const Endpoint* endpoint = explained.answer.endpoint;
    if (endpoint == nullptr || !endpoint->unproven.empty()) continue;
    targets.push_back({.address = endpoint->address,
                       .proxy_protocol = endpoint->proxy_protocol,
                       .start_tls = endpoint->start_tls,
                       .sni = explained.answer.sni,
                       .key_type = rivals.type_to_ask(*explained.answer.bound)});
    asked.push_back(&explained);
  }
  const std::vector<const Result<Served>*> answers = at.asker.ask(targets);
  for (size_t i = 0; i < asked.size(); ++i) asked[i]->served = *answers[i];
}

}  // namespace

std::vector<Explained> explain_all(const Looking& at, const Survey& survey,
                                   const Automation& automation,
                                   std::vector<LookupResult> answers) {
  const Host& host = at.host;
  std::vector<Explained> all;
  for (LookupResult& answer : answers) all.push_back({.answer = std::move(answer)});
  ask_what_is_served(at, survey, all);
  Renewers renewers(host.files, at.settings.stores, own_user());
  std::vector<InventoryItem> items = take_inventory(host.files, at.settings, survey);
  for (Explained& explained : all) {
    const SurveyedBinding& bound = *explained.answer.bound;
    explained.served_text = served_text(explained);
    explained.key_text = key_text(bound);
    const Endpoint* endpoint = explained.answer.endpoint;
    auto master = bound.service->reload().signal;
    if (endpoint != nullptr && endpoint->unproven.empty() && master)
      explained.foreign = foreign_listeners(host, *master, {endpoint->address});
    explained.renewer = renewers.owner_of(bound.binding.certificate.path);
    explained.next = next_text(at, automation, explained, items);
  }
  return all;
}

}  // namespace certrebind
