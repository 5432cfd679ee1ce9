#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <ranges>
#include <set>

#include "acts/explain.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/list_options.h"
#include "cli/output.h"
#include "cli/rebind_task.h"
#include "cli/renewer_output.h"
#include "daemon/task_directory.h"
#include "observe/shadowed_in_memory.h"
#include "survey/lookup.h"
#include "survey/policy.h"

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

// What is the same for all sites of a group in the summary.
struct Alike {
  bool is_served = false;  // problems come first
  std::string service, state, renewer, certificate, expires, listens;
  auto operator<=>(const Alike&) const = default;
};

Alike alike(const Explained& explained, WallTime now) {
  const SurveyedBinding& bound = *explained.answer.bound;
  const bool on_disk = bound.disk && bound.disk->certificate;
  Alike same{.service = bound.service->id().text(),
             .state = "not probed",
             .renewer = renewer_text(explained.renewer),
             .certificate = on_disk ? bound.disk->certificate->thumbprint.brief() : "-",
             .expires = on_disk ? expiry_text(bound.disk->certificate->not_after, now) : "-",
             .listens = explained.answer.endpoint ? printable(explained.answer.endpoint->listens)
                                                  : "a client"};
  if (!explained.served) return same;
  same.is_served =
      explained.served->has_value() && on_disk && bound.holds((*explained.served)->thumbprint);
  same.state = same.is_served ? "serve what is on disk" : "do NOT serve what is on disk";
  return same;
}

using Groups = std::map<Alike, std::vector<std::string>>;

// Sites for which all is the same are one group.
Groups groups_of(const std::vector<Explained>& all, WallTime now) {
  Groups groups;
  for (const Explained& explained : all) {
    std::vector<std::string>& sites = groups[alike(explained, now)];
    const std::string& site = explained.answer.bound->binding.site;
    if (std::ranges::find(sites, site) == sites.end()) sites.push_back(site);
  }
  return groups;
}

std::string heading_of(const Alike& group) {
  return fmt::format("{}: {}; renewed by {}", printable(group.service), group.state, group.renewer);
}

// One line for each site or group of sites, under headings that tell the rest.
void print_summary(const Groups& groups, const ListOptions& list, const std::string& again) {
  constexpr size_t kFewSites = 3;
  const size_t shown = list.shown_of(groups.size());
  std::map<std::pair<bool, std::string>, Table> tables;
  for (const auto& [group, sites] : groups | std::views::take(shown)) {
    auto [at, added] =
        tables.try_emplace({group.is_served, heading_of(group)},
                           std::vector<std::string>{"CERTIFICATE", "EXPIRES", "LISTENS", "SITE"});
    at->second.add({group.certificate, group.expires, group.listens, few_of(sites, kFewSites)});
  }
  for (const auto& [heading, table] : tables) {
    print_line(coloured(heading.first ? Colour::green : Colour::yellow, heading.second));
    print(table.text());
  }
  print(more_line(groups.size() - shown, again));
  print_line("each in full: " + again + " --all, or certrebind explain SITE");
}

size_t sites_in(const std::vector<Explained>& all) {
  std::set<std::string> sites;
  for (const Explained& explained : all) sites.insert(explained.answer.bound->binding.site);
  return sites.size();
}

struct ExplainOptions {
  ListOptions list;
  std::string typed;
  bool all = false;
};

void print_answers(const std::vector<Explained>& all, const ExplainOptions& options, WallTime now) {
  constexpr size_t kFewSites = 3;
  const std::string again = "certrebind explain " + shell_quoted(printable(options.typed));
  if (!options.all && sites_in(all) > kFewSites)
    return print_summary(groups_of(all, now), options.list, again);
  const size_t shown = options.list.shown_of(all.size());
  for (const Explained& explained : all | std::views::take(shown)) print_explained(explained, now);
  print(more_line(all.size() - shown, again + " --all"));
}

bool is_wanted(const LookupResult& answer, const ListOptions& list, WallTime now) {
  const SurveyedBinding& bound = *answer.bound;
  if (!list.wants(bound.binding)) return false;
  const bool known = bound.disk && bound.disk->certificate;
  return known ? list.wants(bound.disk->certificate->not_after, now) : list.expiring == kAnyDay;
}

int explain(Context& context, const ExplainOptions& options) {
  const std::string& typed = options.typed;
  auto surveyed = survey(context.host(), context.only());
  if (!surveyed) return report(surveyed.error());
  put_back_shown(context.asker(), *surveyed);
  prefer_restarts(context.settings(), *surveyed, context.host().clock.wall());
  bool is_path = typed.find('/') != std::string::npos && !typed.starts_with("unix:");
  std::string wanted = is_path ? absolute(typed) : typed;
  const WallTime now = context.host().clock.wall();
  std::vector<LookupResult> answers = look_up(context.host().files, *surveyed, wanted);
  std::erase_if(answers,
                [&](const LookupResult& answer) { return !is_wanted(answer, options.list, now); });
  std::ranges::stable_sort(answers, {},
                           [](const LookupResult& answer) { return answer.bound->binding.site; });
  if (answers.empty()) {
    print_diagnostics(surveyed->diagnostics);
    Error error = no_such_site(*surveyed, "explain", typed);
    error.cause = surveyed->services.found.empty() ? no_server_text(surveyed->diagnostics)
                                                   : std::string("no binding answers to it");
    return report_lookup(context, error);
  }
  std::vector<Explained> all =
      explain_all(context.looking(), *surveyed, automation_of(context), std::move(answers));
  if (context.json()) {
    const size_t shown = options.list.shown_of(all.size());
    Json list = Json::array();
    for (const Explained& explained : all | std::views::take(shown))
      list.push_back(to_json(explained, now));
    print_json({{"answers", std::move(list)}, {"left_out", all.size() - shown}});
    return kDone;
  }
  print_answers(all, options, now);
  print_diagnostics(surveyed->diagnostics);
  return kDone;
}

}  // namespace

CommandSpec explain_command() {
  auto options = std::make_shared<ExplainOptions>();
  return {
      .name = "explain",
      .summary = "why this name, listener or file is served with this certificate, and what next",
      .options = {{"what", &options->typed,
                   "a host name, a listener (127.0.0.1:443, :443), the path of a certificate, a "
                   "key or a configuration file, or a certificate's thumbprint",
                   "NAME|ADDRESS|PATH|THUMBPRINT", Need::required},
                  {"--all", &options->all, "each answer in full, however many there are"},
                  site_option(options->list),
                  expiring_option(options->list),
                  limit_option(options->list)},
      .footer =
          "More than three sites are summed up.\n"
          "Example:\n  certrebind explain www.example.com",
      .run = [options](Context& context) { return explain(context, *options); },
      .pages = true};
}

}  // namespace certrebind
