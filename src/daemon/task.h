// A task: which events (or which times) trigger which command. Its text form is TOML, documented in
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

// All that are set must fit; of several names one.
struct TaskFilter {
  std::vector<std::string> names;  // patterns on the names of the certificate: see name_fits
  std::string store;               // the certificate lies in this directory or below it
  std::string issuer;              // part of the issuer's name, in any case
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
  std::optional<Window> window;  // runs are held until it opens
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> environment;  // in order of their names
  milliseconds time_limit = std::chrono::hours(1);
  int retries = 3;
  milliseconds retry_after = std::chrono::minutes(10);
  bool once_per_batch = false;  // one run for all events that wait, the last of them given to it

  bool has_timer() const { return every || daily_at; }
  bool operator==(const Task&) const = default;
};

// [A-Za-z0-9._-]{1,64}, not beginning with a dot: it is a file name too.
bool is_task_name(std::string_view name);

// Reads a task. `file` is for complaints (Code::usage, with the line) and gives the name where the
// text does not: NAME.toml.
Result<Task> parse_task(const std::string& file, const std::string& text);

// The text that parse_task reads back as the same task. What is as it is by default is left out.
std::string to_toml(const Task& task);

}  // namespace certrebind
