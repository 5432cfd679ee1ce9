// A task: which events or times trigger which command. Its text form is TOML, documented in
// docs/tasks.md and certrebind-tasks(5).
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sys/day_time.h"

namespace certrebind {

// All filters that are set must match. For `names`, one match is enough.
struct TaskFilter {
  std::vector<std::string> names;  // patterns for the names of the certificate: see name_fits
  std::string store;               // the certificate is in this directory or below it
  std::string issuer;              // part of the issuer's name, ignoring case
  std::string service;             // kind:path
  bool operator==(const TaskFilter&) const = default;
};

struct Task {
  std::string name;
  std::string description;
  bool enabled = true;
  std::set<int> events;  // ids
  TaskFilter filter;
  std::optional<milliseconds> every;
  std::optional<int> daily_at;   // minute of the day, local time
  std::optional<Window> window;  // runs wait until the window opens
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> environment;  // ordered by name
  milliseconds time_limit = std::chrono::hours(1);
  int retries = 3;
  milliseconds retry_after = std::chrono::minutes(10);
  bool once_per_batch = false;  // one run for all waiting events; it receives the last one

  bool has_timer() const { return every || daily_at; }
  bool operator==(const Task&) const = default;
};

// [A-Za-z0-9._-]{1,64}, not beginning with a dot, because it is a file name too.
bool is_task_name(std::string_view name);

// Parses a task. Error messages (Code::usage, with the line) name `file`. If the text has no name,
// the file name NAME.toml gives it.
Result<Task> parse_task(const std::string& file, const std::string& text);

// The text of a task's file with `enabled` set, and everything else, comments too, as it was.
Result<std::string> with_enabled(const std::string& file, const std::string& text, bool enabled);

// The text from which parse_task reads the same task. Omits default values.
std::string to_toml(const Task& task);

}  // namespace certrebind
