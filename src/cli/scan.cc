#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "observe/shadowed_in_memory.h"

namespace certrebind {

namespace {

std::string served_text(const std::vector<Look>& looks) {
  std::vector<std::string> shown;
  for (const Look& look : looks) {
    std::string text = look.served ? look.served->thumbprint.brief() : look.served.error().cause;
    if (std::ranges::find(shown, text) == shown.end()) shown.push_back(std::move(text));
  }
  return shown.empty() ? "-" : join(shown, ", ");
}

std::string where_text(const SurveyedBinding& bound) {
  return printable(bound.binding.certificate.where.text());
}

void print_table(const Survey& survey, const std::vector<std::vector<Look>>& looks, bool served,
                 WallTime now) {
  std::vector<std::string> headings = {"SITE", "LISTENS", "CERTIFICATE", "FOR", "EXPIRES", "WHERE"};
  if (served) headings.insert(headings.end() - 1, "SERVED");
  Table table(headings);
  for (size_t i = 0; i < survey.bindings.size(); ++i) {
    const SurveyedBinding& bound = survey.bindings[i];
    bool client = bound.binding.role == Role::client;
    std::vector<std::string> cells;
    cells.reserve(headings.size());
    cells.push_back(printable(bound.binding.site));
    cells.push_back(client ? "(client)" : endpoints_text(bound.binding));
    if (bound.disk && bound.disk->certificate) {
      const CertificateOutline& certificate = *bound.disk->certificate;
      cells.push_back(certificate.thumbprint.brief());
      cells.push_back(names_text(certificate.names));
      cells.push_back(expiry_text(certificate.not_after, now));
    } else {
      cells.emplace_back("-");
      cells.push_back(printable(bound.disk ? bound.disk->problem : bound.binding.not_editable));
      cells.emplace_back("-");
    }
    if (served) cells.push_back(served_text(looks[i]));
    cells.push_back(where_text(bound));
    table.add(std::move(cells));
  }
  print(table.text());
}

Json served_json(const std::vector<Look>& looks, WallTime now) {
  Json all = Json::array();
  for (const Look& look : looks) {
    Json one = {{"address", look.asked.address.text()}, {"sni", printable(look.asked.sni)}};
    if (look.served) {
      one["thumbprint"] = look.served->thumbprint.hex();
      if (auto outline = outline_of(look.served->leaf_der))
        one["certificate"] = to_json(*outline, look.served->leaf_der, now);
    } else {
      one["error"] = printable(look.served.error().cause);
    }
    all.push_back(std::move(one));
  }
  return all;
}

void print_all_json(const Survey& survey, const std::vector<std::vector<Look>>& looks, bool served,
                    WallTime now) {
  Json bindings = Json::array();
  for (size_t i = 0; i < survey.bindings.size(); ++i) {
    const SurveyedBinding& bound = survey.bindings[i];
    Json one = to_json(bound.binding);
    one["service"] = bound.service->id().text();
    if (bound.disk && bound.disk->certificate)
      one["certificate"] = to_json(*bound.disk->certificate, bound.disk->der, now);
    if (bound.disk && !bound.disk->problem.empty()) one["problem"] = printable(bound.disk->problem);
    if (served) one["served"] = served_json(looks[i], now);
    bindings.push_back(std::move(one));
  }
  print_json({{"bindings", std::move(bindings)}, {"diagnostics", to_json(survey.diagnostics)}});
}

int scan(Context& context, bool served) {
  auto surveyed = survey(context.host(), context.only());
  if (!surveyed) return report(surveyed.error());
  context.remember(*surveyed);
  std::vector<std::vector<Look>> looks;
  if (served) {
    put_back_shown(context.asker(), *surveyed);
    TerminalWatcher watcher;
    looks = look_at_all(context.asker(), *surveyed, watcher.progress_of("handshakes"));
  }
  WallTime now = context.host().clock.wall();
  if (context.json()) {
    print_all_json(*surveyed, looks, served, now);
    return kDone;
  }
  if (surveyed->services.found.empty())
    print_line(no_server_text(surveyed->diagnostics) +
               "; one that is down is named with --service nginx:/path/nginx.conf");
  else
    print_table(*surveyed, looks, served, now);
  print_diagnostics(surveyed->diagnostics);
  return kDone;
}

}  // namespace

CommandSpec scan_command() {
  auto served = std::make_shared<bool>(false);
  return {.name = "scan",
          .summary = "every binding of every running server: site, certificate, file and line",
          .options = {{"--served", served.get(), "ask each endpoint what it serves now"}},
          .footer = "Example:\n  certrebind scan --served",
          .run = [served](Context& context) { return scan(context, *served); }};
}

}  // namespace certrebind
