// `certrebind service`: the kinds of servers that certrebind knows, and what a description
// (certrebind-services(5)) means for the servers that run here.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "acts/check_report.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "service/described/discover.h"
#include "service/registry.h"
#include "survey/survey.h"

namespace certrebind {

namespace {

// What reads a kind that no description covers.
constexpr const char* kCode = "its own code";

int list_kinds(Context& context) {
  std::vector<Diagnostic> diagnostics;
  Table table({"KIND", "PROGRAM", "TRIED ON", "DESCRIBED IN"});
  Json all = Json::array();
  for (const KnownKind& kind : known_kinds(context.host(), diagnostics)) {
    const std::string from = kind.described_in.empty() ? kCode : printable(kind.described_in);
    table.add(
        {kind.kind, printable(kind.title), kind.tried.empty() ? "not run here" : kind.tried, from});
    all.push_back({{"kind", kind.kind},
                   {"title", printable(kind.title)},
                   {"tried", printable(kind.tried)},
                   {"described_in", from}});
  }
  if (context.json())
    print_json({{"kinds", all}, {"diagnostics", to_json(diagnostics)}});
  else
    print(table.text());
  if (!context.json()) print_diagnostics(diagnostics);
  return diagnostics.empty() ? kDone : kDiffers;
}

int show_kind(Context& context, const std::string& kind) {
  std::vector<Diagnostic> diagnostics;
  for (const auto& each : described::all_descriptions(context.host(), diagnostics)) {
    if (each->kind != kind) continue;
    print_json({{"kind", kind}, {"described_in", printable(each->file)}, {"text", each->text}});
    print_whole(each->text);
    return kDone;
  }
  const std::vector<std::string> kinds = all_kinds(context.host());
  const bool is_code = std::ranges::find(kinds, kind) != kinds.end();
  const std::string meant = closest_to(kind, kinds);
  return report({Code::not_found, "show", printable(kind),
                 is_code ? "certrebind reads this kind by code, not by a description"
                         : "no description is of this kind",
                 (meant.empty() || is_code ? "" : "did you mean " + meant + "? ") +
                     std::string("certrebind service list")});
}

// A binding of a server, and what its endpoints show now.
void print_binding(const SurveyedBinding& bound, const std::vector<Look>& looks, WallTime now) {
  const Binding& binding = bound.binding;
  print_line("  site " + printable(binding.site));
  print_line(fmt::format("    certificate {} ({})", printable(binding.certificate.path),
                         printable(binding.certificate.where.text())));
  print_line("    key " + printable(binding.key.path));
  if (bound.disk && bound.disk->certificate)
    print_line(fmt::format("    on disk {} for {}, until {}",
                           bound.disk->certificate->thumbprint.brief(),
                           names_text(bound.disk->certificate->names),
                           expiry_text(bound.disk->certificate->not_after, now)));
  if (bound.disk && !bound.disk->problem.empty())
    print_line("    on disk: " + printable(bound.disk->problem));
  if (!binding.restart_only.empty())
    print_line("    new files only by a restart: " + printable(binding.restart_only));
  for (const Look& look : looks)
    print_line(fmt::format(
        "    {} shows {}", printable(look.asked.text()),
        look.served ? look.served->thumbprint.brief() : printable(look.served.error().cause)));
  for (const Endpoint& endpoint : binding.endpoints)
    if (!endpoint.unproven.empty())
      print_line(fmt::format("    {} is not asked: {}", printable(endpoint.listens),
                             printable(endpoint.unproven)));
}

std::string reload_text(const Reload& reload) {
  if (!reload.signal) return "it does not run";
  if (!reload.restart_only.empty()) return "only a restart: " + reload.restart_only;
  if (reload.per_connection) return "not needed: it reads its files for each connection";
  if (reload.socket) return "said over " + reload.socket->address.text();
  if (reload.commands) {
    std::vector<std::string> texts;
    for (const Command& command : reload.commands->commands) texts.push_back(command.text());
    return join(texts, "; ");
  }
  return fmt::format("signal {} to process {}", reload.signal->name, reload.signal->pid);
}

Diagnostic nothing_found(const Service& service, const std::string& description) {
  return {.file = description,
          .message = fmt::format("finds no certificate with a listener in {}: either no "
                                 "[[listener]] gives an address there, or no [[certificate]] "
                                 "names a setting that has a value; compare section, when and the "
                                 "names of settings with that file",
                                 printable(service.id().path))};
}

// Everything that was understood, and whether each endpoint shows what the description says.
int test_description(Context& context, const std::string& file) {
  auto description = described::read_description(context.host(), absolute(file));
  if (!description) return report(description.error());
  auto services = find_services_of(
      std::make_shared<const described::Description>(std::move(*description)), context.host());
  if (!services) return report(services.error());
  auto surveyed = survey_of(std::move(*services), context.host(), false);
  if (!surveyed) return report(surveyed.error());
  const WallTime now = context.host().clock.wall();
  auto looks = look_at_all(context.asker(), *surveyed, {});
  for (const auto& service : surveyed->services.found)
    if (std::ranges::none_of(surveyed->bindings, [&](const SurveyedBinding& bound) {
          return bound.service == service.get();
        }))
      surveyed->diagnostics.push_back(nothing_found(*service, absolute(file)));
  std::ranges::move(ask_what_is_not_loaded(context.host(), *surveyed),
                    std::back_inserter(surveyed->diagnostics));
  bool good = !surveyed->bindings.empty() && surveyed->diagnostics.empty();
  Json bindings = Json::array();
  for (const auto& service : surveyed->services.found) {
    print_line(service->id().text());
    const Reload reload = service->reload();
    print_line("  reload: " + printable(reload_text(reload)));
    if (reload.loaded) print_line("  loaded: asked by " + printable(reload.loaded->text()));
    for (size_t i = 0; i < surveyed->bindings.size(); ++i) {
      const SurveyedBinding& bound = surveyed->bindings[i];
      if (bound.service != service.get()) continue;
      print_binding(bound, looks[i], now);
      bindings.push_back(to_json(bound, &looks[i], now));
      for (const Look& look : looks[i])
        good = good && look.served && bound.holds(look.served->thumbprint);
    }
  }
  if (surveyed->services.found.empty())
    print_line("no process here is one that the description recognises");
  print_diagnostics(surveyed->diagnostics);
  print_json({{"bindings", std::move(bindings)}, {"diagnostics", to_json(surveyed->diagnostics)}});
  return good ? kDone : kDiffers;
}

}  // namespace

CommandSpec service_command() {
  auto kind = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();
  return {.name = "service",
          .summary = "the kinds of servers that certrebind knows, and their descriptions",
          .footer = "Example:\n  certrebind service list",
          .subcommands = {
              {.name = "list",
               .summary = "all kinds, and on which version each was tried",
               .footer = "Exit codes: 0; 1 if a description has a mistake.\n"
                         "Example:\n  certrebind service list",
               .run = list_kinds,
               .pages = true},
              {.name = "show",
               .summary = "the description of a kind",
               .options = {{.name = "kind",
                            .target = kind.get(),
                            .help = "the kind",
                            .type = "KIND",
                            .need = Need::required}},
               .footer = "Example:\n  certrebind service show postfix",
               .run = [kind](Context& context) { return show_kind(context, *kind); },
               .pages = true},
              {.name = "test",
               .summary = "what a description says of the servers that run here; changes nothing",
               .options = {{.name = "file",
                            .target = file.get(),
                            .help = "the description",
                            .type = "FILE",
                            .need = Need::required}},
               .footer = "Exit codes: 0 if everything is understood and shown; 1 if not; 2 if the "
                         "description has a mistake.\n"
                         "Example:\n  certrebind service test /etc/certrebind/services.d/mail.toml",
               .run = [file](Context& context) { return test_description(context, *file); }}}};
}

}  // namespace certrebind
