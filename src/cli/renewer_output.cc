#include "cli/renewer_output.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "store/own.h"
#include "sys/local_time.h"

namespace certrebind {

namespace {

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(printable(text));
}

}  // namespace

std::string renewer_text(const std::optional<Lineage>& lineage, const std::string& store) {
  if (!lineage) return store == kOwnKind ? "nobody (certrebind import)" : "nobody";
  std::string text = printable(lineage->renewer);
  return lineage->scheduled_by.empty() ? text + ", but nothing runs it" : text;
}

std::string due_text(const std::optional<Lineage>& lineage, WallTime now) {
  if (!lineage) return "-";
  if (!lineage->due) return lineage->due_rule.starts_with("never") ? "never" : "unknown";
  return *lineage->due <= now ? "now" : local_day_text(*lineage->due);
}

void print_renewer(const std::optional<Lineage>& lineage, WallTime now, const std::string& store) {
  if (!lineage) {
    print_line("  renewed by " + renewer_text(lineage, store));
    return;
  }
  print_line(
      fmt::format("  renewed by {} ({})", printable(lineage->renewer), printable(lineage->name)));
  print_line(
      fmt::format("  next due   {}{}", due_text(lineage, now),
                  lineage->due_rule.empty() ? "" : " (" + printable(lineage->due_rule) + ")"));
  std::string runs = lineage->scheduled_by.empty() ? "nothing" : printable(lineage->scheduled_by);
  std::string note = lineage->schedule_note;
  print_line("  run by     " + runs + (note.empty() ? "" : " (" + printable(note) + ")"));
  print_line("  renew with " + printable(lineage->renew.empty() ? "nothing: " + lineage->no_command
                                                                : lineage->command_text));
  for (const std::string& hook : lineage->hooks) print_line("  its hook   " + printable(hook));
}

Json to_json(const std::optional<Lineage>& lineage) {
  if (!lineage) return nullptr;
  Json hooks = Json::array();
  for (const std::string& hook : lineage->hooks) hooks.push_back(printable(hook));
  return {
      {"name", printable(lineage->renewer)},
      {"lineage", printable(lineage->name)},
      {"directory", printable(lineage->directory)},
      {"certificate_path", printable(lineage->certificate_path)},
      {"key_path", printable(lineage->key_path)},
      {"next_due", lineage->due ? Json(to_rfc3339(*lineage->due)) : Json()},
      {"due_rule", text_or_null(lineage->due_rule)},
      {"scheduled_by", text_or_null(lineage->scheduled_by)},
      {"schedule_note", text_or_null(lineage->schedule_note)},
      {"renew_command", lineage->renew.empty() ? Json() : Json(printable(lineage->command_text))},
      {"no_command", text_or_null(lineage->no_command)},
      {"hooks", std::move(hooks)}};
}

}  // namespace certrebind
