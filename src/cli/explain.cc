#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/inventory.h"
#include "cli/output.h"
#include "cli/rebind_task.h"
#include "cli/renewer_output.h"
#include "daemon/task_directory.h"
#include "plan/pending.h"
#include "proof/foreign_listeners.h"
#include "survey/key_types.h"
#include "survey/lookup.h"
#include "x509/key.h"

namespace certrebind {

namespace {

// Everything about one answer.
struct Explained {
  LookupResult answer;
  std::optional<Result<Served>> served = {};
  std::vector<ForeignListener> foreign = {};  // who else takes connections there
  std::string served_text = {};
  std::string key_text = {};
  std::optional<Lineage> renewer = {};
  std::string next = {};  // what would happen at the next renewal
};

struct Automation {
  bool enabled = false;
  bool running = false;
};

Automation automation_of(Context& context) {
  LoadedTasks tasks =
      load_tasks(context.host().files, context.settings().tasks_directory(), own_user());
  const Task* task = tasks.find(kRebindTask);
  return {.enabled = task != nullptr && task->enabled, .running = daemon_runs(context.settings())};
}

std::string key_text(const Files& files, const SurveyedBinding& bound) {
  if (!bound.disk || !bound.disk->certificate) return "";
  auto leaf = Certificate::parse(bound.disk->der);
  auto key = files.read(bound.binding.key.path, kPemLimit);
  if (!key) return "cannot be read: " + key.error().cause;
  return leaf ? to_text(key_state(*key, *leaf)) : "";
}

std::string served_text(const Explained& explained) {
  if (!explained.served) return "not probed";
  const Result<Served>& served = *explained.served;
  if (!served) return "no handshake: " + printable(served.error().cause);
  const auto& disk = explained.answer.bound->disk;
  std::string text = served->thumbprint.brief();
  if (!disk || !disk->certificate) return text;
  if (served->thumbprint == disk->certificate->thumbprint) return text + ": what lies on disk";
  return text + ": NOT what lies on disk; next: certrebind check";
}

// What brings the next certificate to this binding, before anything is asked of policies.
std::string way_of(const Explained& explained, const std::vector<InventoryItem>& items) {
  const SurveyedBinding& bound = *explained.answer.bound;
  const Binding& binding = bound.binding;
  const std::string& path = binding.certificate.path;
  if (path.empty()) return "";
  std::string in_place =
      fmt::format("written to {}: tested, loaded and proven there", printable(path));
  if (explained.renewer) return in_place;
  if (!binding.not_editable.empty()) return in_place;
  for (const InventoryItem& item : items)
    if (item.renewer && bound.holds(item.certificate.thumbprint) && item.path != path)
      return fmt::format("{} renews {}, of which this is a copy: the directive is made to name it",
                         printable(item.renewer->renewer), printable(item.path));
  return in_place +
         "; or, with the same names, brought to a store: the directive is made to name it";
}

std::string next_text(const Context& context, const Automation& automation,
                      const Explained& explained, const std::vector<InventoryItem>& items) {
  const SurveyedBinding& bound = *explained.answer.bound;
  std::string way = way_of(explained, items);
  if (way.empty()) return "nothing: " + printable(bound.binding.not_editable);
  const Policy* policy = policy_for(context.settings(), bound);
  if (policy && policy->automatic == Policy::Automatic::no)
    return "nothing by itself: a policy leaves it alone; certrebind rebind does it";
  if (policy && policy->automatic == Policy::Automatic::notify)
    return "a person is told: a policy says to notify only; certrebind rebind does it";
  if (!automation.enabled)
    return "nothing by itself: not enabled (certrebind enable); certrebind rebind does it: " + way;
  std::string when = policy && !policy->window.empty() ? ", within " + policy->window : "";
  if (!automation.running) way += "; the daemon does not run: systemctl start certrebind";
  return "by itself" + when + ": " + way;
}

void ask_what_is_served(const Context& context, const Survey& survey, std::vector<Explained>& all) {
  const Rivals rivals(survey);
  std::vector<Target> targets;
  std::vector<Explained*> asked;
  for (Explained& explained : all) {
    const Endpoint* endpoint = explained.answer.endpoint;
    if (endpoint == nullptr || !endpoint->unproven.empty()) continue;
    targets.push_back({.address = endpoint->address,
                       .proxy_protocol = endpoint->proxy_protocol,
                       .sni = explained.answer.sni,
                       .key_type = rivals.type_to_ask(*explained.answer.bound)});
    asked.push_back(&explained);
  }
  std::vector<Result<Served>> served = context.prober().handshake_all(targets);
  for (size_t i = 0; i < asked.size(); ++i) asked[i]->served = std::move(served[i]);
}

std::vector<Explained> explain_all(Context& context, const Survey& survey,
                                   std::vector<LookupResult> answers) {
  Host host = context.host();
  std::vector<Explained> all;
  for (LookupResult& answer : answers) all.push_back({.answer = std::move(answer)});
  ask_what_is_served(context, survey, all);
  Renewers renewers(host.files, context.settings().stores, own_user());
  std::vector<InventoryItem> items = take_inventory(host.files, context.settings(), survey);
  Automation automation = automation_of(context);
  for (Explained& explained : all) {
    const SurveyedBinding& bound = *explained.answer.bound;
    explained.served_text = served_text(explained);
    explained.key_text = key_text(host.files, bound);
    const Endpoint* endpoint = explained.answer.endpoint;
    auto master = bound.service->reload().signal;
    if (endpoint != nullptr && endpoint->unproven.empty() && master)
      explained.foreign = foreign_listeners(host, *master, {endpoint->address});
    explained.renewer = renewers.owner_of(bound.binding.certificate.path);
    explained.next = next_text(context, automation, explained, items);
  }
  return all;
}

void print_explained(const Explained& explained, WallTime now) {
  const SurveyedBinding& bound = *explained.answer.bound;
  const Binding& binding = bound.binding;
  const Endpoint* endpoint = explained.answer.endpoint;
  print_line(fmt::format("{} at {} ({})", printable(binding.site),
                         endpoint ? printable(endpoint->listens) : "no listener: a client",
                         bound.service->id().text()));
  print_line("  why         " + printable(explained.answer.why));
  print_line(fmt::format("  configured  {} in {}",
                         binding.certificate.path.empty() ? printable(binding.certificate.written)
                                                          : printable(binding.certificate.path),
                         printable(binding.certificate.where.text())));
  if (!binding.not_editable.empty())
    print_line("              not editable: " + printable(binding.not_editable));
  if (bound.disk && bound.disk->certificate) {
    const CertificateOutline& certificate = *bound.disk->certificate;
    print_line(fmt::format("  on disk     {} for {}, expires {}", certificate.thumbprint.brief(),
                           names_text(certificate.names), expiry_text(certificate.not_after, now)));
    print_line(fmt::format("  key         {}: {}", printable(binding.key.path),
                           printable(explained.key_text)));
  } else if (bound.disk) {
    print_line("  on disk     " + printable(bound.disk->problem));
  }
  print_line("  served      " + explained.served_text);
  for (const ForeignListener& foreign : explained.foreign) {
    print_line("              " + printable(foreign.text()));
    print_line("              next: " + foreign.next());
  }
  print_renewer(explained.renewer, now);
  print_line("  at the next renewal, " + explained.next);
}

Json to_json(const Explained& explained, WallTime now) {
  const SurveyedBinding& bound = *explained.answer.bound;
  Json json = {{"service", bound.service->id().text()},
               {"site", printable(bound.binding.site)},
               {"why", printable(explained.answer.why)},
               {"binding", certrebind::to_json(bound.binding)}};
  if (explained.answer.endpoint) json["listens"] = printable(explained.answer.endpoint->listens);
  if (bound.disk && bound.disk->certificate)
    json["certificate"] = to_json(*bound.disk->certificate, bound.disk->der, now);
  if (bound.disk && !bound.disk->problem.empty()) json["problem"] = printable(bound.disk->problem);
  json["key"] = printable(explained.key_text);
  if (explained.served && *explained.served) json["served"] = (*explained.served)->thumbprint.hex();
  json["renewer"] = to_json(explained.renewer);
  json["next_renewal"] = explained.next;
  json["others_listening"] = Json::array();
  for (const ForeignListener& foreign : explained.foreign)
    json["others_listening"].push_back(
        {{"pid", foreign.pid}, {"sentence", printable(foreign.text())}, {"next", foreign.next()}});
  return json;
}

int explain(Context& context, const std::string& typed) {
  auto surveyed = survey(context.host(), context.only());
  if (!surveyed) return report(surveyed.error());
  bool is_path = typed.find('/') != std::string::npos && !typed.starts_with("unix:");
  std::string wanted = is_path ? absolute(typed) : typed;
  std::vector<LookupResult> answers = look_up(context.host().files, *surveyed, wanted);
  if (answers.empty()) {
    print_diagnostics(surveyed->diagnostics);
    return report({Code::not_found, "explain", typed,
                   surveyed->services.found.empty() ? no_server_text(surveyed->diagnostics)
                                                    : std::string("no binding answers to it"),
                   "certrebind scan lists every binding"});
  }
  std::vector<Explained> all = explain_all(context, *surveyed, std::move(answers));
  WallTime now = context.host().clock.wall();
  if (context.json()) {
    Json list = Json::array();
    for (const Explained& explained : all) list.push_back(to_json(explained, now));
    print_json({{"answers", std::move(list)}});
    return kDone;
  }
  for (const Explained& explained : all) print_explained(explained, now);
  print_diagnostics(surveyed->diagnostics);
  return kDone;
}

}  // namespace

CommandSpec explain_command() {
  auto typed = std::make_shared<std::string>();
  return {
      .name = "explain",
      .summary = "why this name, listener or file is served with this certificate, and what next",
      .options = {{"what", typed.get(),
                   "a host name, a listener (127.0.0.1:443, :443), the path of a certificate, a "
                   "key or a configuration file, or a certificate's thumbprint",
                   "NAME|ADDRESS|PATH|THUMBPRINT", Need::required}},
      .footer = "Example:\n  certrebind explain www.example.com",
      .run = [typed](Context& context) { return explain(context, *typed); }};
}

}  // namespace certrebind
