#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "acts/inventory.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/own_program.h"
#include "cli/renewal.h"
#include "cli/renewer_output.h"
#include "cli/task_commands.h"
#include "daemon/task_directory.h"

namespace certrebind {

namespace {

constexpr double kFraction =
    0.20;  // a certificate is renewed when this part of its lifetime is left

std::string task_file(const Context& context) {
  return context.settings().tasks_directory() + "/autoenroll.toml";
}

bool is_near_end(const CertificateOutline& certificate, WallTime now) {
  auto life = certificate.not_after - certificate.not_before;
  return static_cast<double>((certificate.not_after - now).count()) <
         kFraction * static_cast<double>(life.count());
}

// Each lineage once, even if many paths lead to it.
std::vector<InventoryItem> owned(Context& context, const Host& host, const Survey& surveyed) {
  std::vector<InventoryItem> all = take_inventory(host.files, context.settings(), surveyed);
  std::set<std::string> seen;
  std::vector<InventoryItem> once;
  for (InventoryItem& item : all)
    if (item.renewer && seen.insert(item.renewer->certificate_path).second)
      once.push_back(std::move(item));
  return once;
}

// Renewers that a scheduled job already runs, each with its job.
std::set<std::string> scheduled(const std::vector<InventoryItem>& items) {
  std::set<std::string> texts;
  for (const InventoryItem& item : items)
    if (!item.renewer->scheduled_by.empty())
      texts.insert(item.renewer->renewer + " is run by " + item.renewer->scheduled_by);
  return texts;
}

void say_scheduled(const std::vector<InventoryItem>& items) {
  for (const std::string& text : scheduled(items))
    print_line(printable(text) + ": its certificates are left to it");
}

Task autoenroll_task(const std::string& program) {
  Task task;
  task.name = kAutoenrollTask;
  task.description =
      "certificates with a fifth of their life left are renewed by their own renewers";
  task.every = std::chrono::hours(8);
  task.command = {program, "autoenroll", "run"};
  task.retries = 0;
  return task;
}

int enable_autoenroll(Context& context) {
  Host host = context.host();
  auto program = own_program(host.files);
  if (!program) return report(program.error());
  Done added = add_task(host.files, context.settings().tasks_directory(), own_user(),
                        autoenroll_task(*program));
  if (!added && added.error().code != Code::exists) return report(added.error());
  if (added) note_change();
  if (context.json()) {
    print_json({{"was_enabled", !added}, {"task", printable(task_file(context))}});
    return kDone;
  }
  print_line("autoenroll is enabled: " + printable(task_file(context)));
  if (auto surveyed = survey(host, context.only())) say_scheduled(owned(context, host, *surveyed));
  return kDone;
}

int disable_autoenroll(Context& context) {
  Done removed = remove_task(context.host().files, context.settings().tasks_directory(), own_user(),
                             kAutoenrollTask);
  if (!removed && removed.error().code != Code::not_found) return report(removed.error());
  if (removed) note_change();
  print_json({{"was_enabled", removed.has_value()}});
  if (!context.json())
    print_line(removed ? "autoenroll is disabled" : "autoenroll was not enabled");
  return kDone;
}

// What `run` would do with the lineage, as one word for programs.
std::string fate(const InventoryItem& item, WallTime now, bool all) {
  if (!is_near_end(item.certificate, now)) return "not yet";
  if (!item.renewer->scheduled_by.empty() && !all) return "left to its own schedule";
  return item.renewer->renew.empty() ? "cannot" : "renew";
}

void print_status(const std::vector<InventoryItem>& items, bool is_enabled, WallTime now) {
  print_line(is_enabled ? "autoenroll is enabled" : "autoenroll is off");
  if (items.empty()) {
    print_line("no certificate has a renewer");
    return;
  }
  Table table({"CERTIFICATE", "EXPIRES", "RENEWED BY", "RUN BY", "AUTOENROLL", "PATH"});
  for (const InventoryItem& item : items)
    table.add(
        {printable(item.renewer->name), expiry_text(item.certificate.not_after, now),
         printable(item.renewer->renewer),
         item.renewer->scheduled_by.empty() ? "nothing" : printable(item.renewer->scheduled_by),
         fate(item, now, false), printable(item.renewer->certificate_path)});
  print(table.text());
}

int autoenroll_status(Context& context) {
  Host host = context.host();
  auto surveyed = survey(host, context.only());
  if (!surveyed) return report(surveyed.error());
  std::vector<InventoryItem> items = owned(context, host, *surveyed);
  WallTime now = host.clock.wall();
  bool is_enabled = host.files.stat(task_file(context)).has_value();
  if (!context.json()) {
    print_status(items, is_enabled, now);
    return kDone;
  }
  Json certificates = Json::array();
  for (const InventoryItem& item : items)
    certificates.push_back({{"lineage", printable(item.renewer->name)},
                            {"not_after", to_rfc3339(item.certificate.not_after)},
                            {"autoenroll", fate(item, now, false)},
                            {"renewer", to_json(item.renewer)}});
  print_json({{"enabled", is_enabled},
              {"task", printable(task_file(context))},
              {"certificates", std::move(certificates)}});
  return kDone;
}

// False if a renewal was due and failed.
bool renew_one(Host& host, const InventoryItem& item, bool all, Json& results) {
  const Lineage& lineage = *item.renewer;
  std::string what = fate(item, host.clock.wall(), all);
  Json entry = {{"lineage", printable(lineage.name)},
                {"renewer", printable(lineage.renewer)},
                {"autoenroll", what}};
  std::string text = what;
  bool is_good = what != "cannot";
  if (what == "left to its own schedule") text = "left to " + lineage.scheduled_by;
  if (what == "cannot") text = "cannot be renewed: " + lineage.no_command;
  if (what == "renew") {
    auto renewal = run_renewer(host, lineage, true);
    is_good = renewal && renewal->is_new;
    text = renewal ? outcome_text(lineage, *renewal) : renewal.error().message();
    if (renewal && !is_good) text += "\n" + renewal->ran.output;
  }
  entry["outcome"] = text;
  entry["renewed"] = what == "renew" && is_good;
  if (what == "renew" && is_good) note_change();
  if (!is_good) note_failure({.message = lineage.name + ": " + text, .next = {}});
  if (what != "not yet") results.push_back(std::move(entry));
  return is_good;
}

int run(Context& context, bool all) {
  Host host = context.host();
  auto surveyed = survey(host, context.only());
  if (!surveyed) return report(surveyed.error());
  context.remember(*surveyed);
  Json results = Json::array();
  bool is_good = true;
  for (const InventoryItem& item : owned(context, host, *surveyed))
    is_good = renew_one(host, item, all, results) && is_good;
  if (context.json()) {
    print_json({{"results", results}});
  } else if (results.empty()) {
    print_line("no certificate is near its end");
  } else {
    for (const Json& entry : results)
      print_line(fmt::format("{} ({}): {}", entry["lineage"].get<std::string>(),
                             entry["renewer"].get<std::string>(),
                             entry["outcome"].get<std::string>()));
  }
  return is_good ? kDone : kDiffers;
}

}  // namespace

CommandSpec autoenroll_command() {
  auto all = std::make_shared<bool>(false);
  return {
      .name = "autoenroll",
      .summary = "renew in time what no timer renews; off unless it is enabled",
      .footer = "Example:\n  certrebind autoenroll status",
      .subcommands = {{.name = "status",
                       .summary = "what it would do, and what renewers do by themselves",
                       .run = autoenroll_status},
                      {.name = "enable", .summary = "write its task", .run = enable_autoenroll},
                      {.name = "disable", .summary = "remove its task", .run = disable_autoenroll},
                      {.name = "run",
                       .summary = "renew now what has less than a fifth of its life left",
                       .options = {{"--all", all.get(), "also what a timer or cron job renews"}},
                       .run = [all](Context& context) { return run(context, *all); }}},
      .run = autoenroll_status};
}

}  // namespace certrebind
