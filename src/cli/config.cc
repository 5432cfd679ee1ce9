// `config check`: what certrebind.toml and tasks.d put in force, and what it comes to on this host.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/rebind_task.h"
#include "cli/task_commands.h"
#include "daemon/config_in_force.h"
#include "state/settings_source.h"
#include "survey/policy.h"
#include "sys/day_time.h"

namespace certrebind {

namespace {

// One [[policy]] or [[store]], and the bindings to which it applies.
struct Rule {
  int line = 0;
  std::string text;
  std::vector<const SurveyedBinding*> bindings = {};
  std::optional<Window> window = {};
};

struct ConfigReport {
  SettingsSource source;
  std::vector<Rule> policies, stores;
  LoadedTasks tasks;
  std::optional<Error> mistake;  // in certrebind.toml
  std::string daemon;            // what the daemon goes by, if that is not what lies on disk
  std::vector<std::string> warnings;
  Survey survey;
};

std::string text_of(const Policy& policy) {
  const char* automatic = policy.automatic == Policy::Automatic::yes      ? "yes"
                          : policy.automatic == Policy::Automatic::notify ? "notify"
                                                                          : "no";
  std::string text = fmt::format("automatic = \"{}\"", automatic);
  for (const auto& [key, value] :
       {std::pair("service", policy.service), std::pair("site", policy.site),
        std::pair("certificate", policy.certificate)})
    if (value != "*") text += fmt::format(", {} = \"{}\"", key, value);
  if (policy.allow_restart) text += ", allow_restart = true";
  return text;
}

int line_at(const std::vector<int>& lines, size_t index) {
  return index < lines.size() ? lines[index] : 0;
}

std::vector<Rule> rules_of_policies(const Context& context, const ConfigReport& report) {
  std::vector<Rule> rules;
  const std::vector<Policy>& policies = context.settings().policies;
  for (size_t i = 0; i < policies.size(); ++i) {
    Rule rule{.line = line_at(report.source.policies, i), .text = text_of(policies[i])};
    for (const SurveyedBinding& bound : report.survey.bindings)
      if (policy_for(context.settings(), bound) == &policies[i]) rule.bindings.push_back(&bound);
    if (auto window = parse_window(policies[i].window)) rule.window = *window;
    rules.push_back(std::move(rule));
  }
  return rules;
}

// Those of the file only: it is normal that most of the usual directories do not exist.
std::vector<Rule> rules_of_stores(Context& context, const ConfigReport& report) {
  std::vector<Rule> rules;
  const std::vector<StoreSetting>& stores = context.settings().stores;
  const size_t own = report.source.stores.size();
  for (size_t i = 0; i < own && own <= stores.size(); ++i) {
    const StoreSetting& store = stores[stores.size() - own + i];
    Rule rule{.line = report.source.stores[i],
              .text = fmt::format("kind = \"{}\", path = \"{}\"", store.kind, store.path)};
    for (const SurveyedBinding& bound : report.survey.bindings) {
      auto found = store_of(context.host().files, {store}, bound.binding.certificate.path);
      if (found) rule.bindings.push_back(&bound);
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

void warn_of_unmatched(const char* what, const std::vector<Rule>& rules, ConfigReport& report) {
  for (const Rule& rule : rules)
    if (rule.bindings.empty())
      report.warnings.push_back(fmt::format("{}:{}: this [[{}]] matches no binding: {}",
                                            report.source.file, rule.line, what, rule.text));
}

// The daemon keeps the last good content, and goes by it while the file has a mistake.
std::string daemon_goes_by(Context& context) {
  if (!daemon_runs(context.settings())) return "";
  const ConfigSource& source = context.config_source();
  if (source.mistake && source.file.empty())
    return "the daemon has no configuration without a mistake: nothing is rebound automatically";
  if (source.mistake)
    return fmt::format("the daemon goes by what the file said before: {}", source.file);
  Files& files = context.host().files;
  auto now = files.read(context.settings().config_file, kConfigLimit);
  auto kept = files.read(last_good_copy(context.settings().config_file), kConfigLimit);
  const bool is_noticed = now && kept ? *now == *kept : !now;
  return is_noticed ? "" : "the daemon has not read the file since its last change";
}

Result<ConfigReport> look_at_config(Context& context) {
  ConfigReport report;
  const ConfigSource& from = context.config_source();
  report.mistake = from.mistake;
  report.tasks = load_tasks(context);
  report.daemon = daemon_goes_by(context);
  auto source = source_of_settings(context.host().files, from.file, context.settings());
  if (!source) return pass(source);
  report.source = std::move(*source);
  auto surveyed = survey(context.host(), context.only());
  if (!surveyed) return pass(surveyed);
  report.survey = std::move(*surveyed);
  report.policies = rules_of_policies(context, report);
  report.stores = rules_of_stores(context, report);
  warn_of_unmatched("policy", report.policies, report);
  warn_of_unmatched("store", report.stores, report);
  if (!report.mistake && !report.daemon.empty()) report.warnings.push_back(report.daemon);
  return report;
}

std::string sites_text(const std::vector<const SurveyedBinding*>& bindings) {
  std::set<std::string> sites;
  for (const SurveyedBinding* bound : bindings) sites.insert(bound->binding.site);
  return fmt::format("{} ({})", count_of(bindings.size(), "binding"),
                     names_text({sites.begin(), sites.end()}));
}

void print_rules(const char* what, const std::vector<Rule>& rules, WallTime now) {
  for (const Rule& rule : rules) {
    print_line(fmt::format("line {}: [[{}]] {}", rule.line, what, printable(rule.text)));
    if (!rule.bindings.empty()) print_line("  matches " + printable(sites_text(rule.bindings)));
    if (rule.window) print_line("  window " + opening_text(*rule.window, now));
  }
}

void print_mistake(const Error& mistake) {
  print_line(coloured(Colour::red, "mistake: ") + printable(mistake.message()));
  if (!mistake.hint.empty()) print_line("  next: " + printable(mistake.hint));
}

void print_report(const ConfigReport& report, WallTime now) {
  if (report.mistake) print_mistake(*report.mistake);
  for (const Error& error : report.tasks.errors) print_mistake(error);
  if (report.mistake && !report.daemon.empty()) print_line("  " + printable(report.daemon));
  print_line(report.source.file.empty() ? "in force: the defaults"
                                        : "in force: " + printable(report.source.file));
  for (const SettingInForce& setting : report.source.settings)
    print_line(fmt::format("  {} = {}  ({})", setting.key, printable(setting.value),
                           setting.line > 0 ? fmt::format("line {}", setting.line) : "default"));
  print_rules("policy", report.policies, now);
  print_rules("store", report.stores, now);
  for (const Task& task : report.tasks.tasks)
    print_line(fmt::format("task {}{}", printable(task.name), task.enabled ? "" : ": not enabled"));
  for (const std::string& warning : report.warnings)
    print_line(coloured(Colour::yellow, "warning: ") + printable(warning));
  print_diagnostics(report.survey.diagnostics);
}

Json to_json(const std::vector<Rule>& rules, WallTime now) {
  Json all = Json::array();
  for (const Rule& rule : rules) {
    Json bindings = Json::array();
    for (const SurveyedBinding* bound : rule.bindings)
      bindings.push_back(
          {{"service", bound->service->id().text()}, {"site", printable(bound->binding.site)}});
    Json one = {{"line", rule.line}, {"rule", printable(rule.text)}, {"bindings", bindings}};
    if (rule.window) {
      one["window"] = rule.window->text();
      one["opens"] = to_rfc3339(opens_at(*rule.window, now));
    }
    all.push_back(std::move(one));
  }
  return all;
}

Json to_json(const Error& mistake) {
  return {{"where", printable(mistake.subject)},
          {"sentence", printable(mistake.message())},
          {"next", printable(mistake.hint)}};
}

void print_report_json(const ConfigReport& report, WallTime now) {
  Json settings = Json::array(), mistakes = Json::array(), tasks = Json::array();
  for (const SettingInForce& setting : report.source.settings)
    settings.push_back({{"key", setting.key},
                        {"value", printable(setting.value)},
                        {"line", setting.line > 0 ? Json(setting.line) : Json()}});
  if (report.mistake) mistakes.push_back(to_json(*report.mistake));
  for (const Error& error : report.tasks.errors) mistakes.push_back(to_json(error));
  for (const Task& task : report.tasks.tasks)
    tasks.push_back({{"name", printable(task.name)}, {"enabled", task.enabled}});
  Json warnings = Json::array();
  for (const std::string& warning : report.warnings) warnings.push_back(printable(warning));
  print_json({{"file", printable(report.source.file)},
              {"settings", std::move(settings)},
              {"policies", to_json(report.policies, now)},
              {"stores", to_json(report.stores, now)},
              {"tasks", std::move(tasks)},
              {"mistakes", std::move(mistakes)},
              {"warnings", std::move(warnings)},
              {"daemon", printable(report.daemon)},
              {"diagnostics", to_json(report.survey.diagnostics)}});
}

int check_config(Context& context) {
  auto found = look_at_config(context);
  if (!found) return report(found.error());
  const WallTime now = context.host().clock.wall();
  if (context.json())
    print_report_json(*found, now);
  else
    print_report(*found, now);
  if (found->mistake || !found->tasks.errors.empty()) return kUsage;
  return found->warnings.empty() ? kDone : kDiffers;
}

}  // namespace

CommandSpec config_command() {
  return {
      .name = "config",
      .summary = "what certrebind.toml and tasks.d put in force",
      .footer = "Example:\n  certrebind config check",
      .subcommands = {{.name = "check",
                       .summary = "every setting, where it comes from, and what it comes to here",
                       .footer = "Exit codes: 0; 1 if there are warnings; 2 if there is a "
                                 "mistake in certrebind.toml or in a task.\n"
                                 "Example:\n  certrebind config check",
                       .run = check_config,
                       .pages = true}},
      .bears_mistakes = true};
}

}  // namespace certrebind
