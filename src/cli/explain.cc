#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "acts/explain.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/rebind_task.h"
#include "cli/renewer_output.h"
#include "daemon/task_directory.h"
#include "observe/shadowed_in_memory.h"
#include "survey/lookup.h"

namespace certrebind {

namespace {

Automation automation_of(Context& context) {
  LoadedTasks tasks =
      load_tasks(context.host().files, context.settings().tasks_directory(), own_user());
  return {.enabled = rebinds_automatically(tasks), .running = daemon_runs(context.settings())};
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
  put_back_shown(context.asker(), *surveyed);
  bool is_path = typed.find('/') != std::string::npos && !typed.starts_with("unix:");
  std::string wanted = is_path ? absolute(typed) : typed;
  std::vector<LookupResult> answers = look_up(context.host().files, *surveyed, wanted);
  if (answers.empty()) {
    print_diagnostics(surveyed->diagnostics);
    Error error = no_such_site(*surveyed, "explain", typed);
    error.cause = surveyed->services.found.empty() ? no_server_text(surveyed->diagnostics)
                                                   : std::string("no binding answers to it");
    return report_lookup(context, error);
  }
  std::vector<Explained> all =
      explain_all(context.looking(), *surveyed, automation_of(context), std::move(answers));
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
