// Which events trigger a task, and the command for an event. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "daemon/task.h"
#include "lifecycle/events.h"
#include "state/settings.h"
#include "sys/processes.h"

namespace certrebind {

// The properties of an event that tasks use; empty if the event has none.
struct EventFacts {
  int64_t record = 0;
  int id = 0;  // 0: no event; triggered by a timer or a person
  std::string service;
  std::string old_thumbprint, new_thumbprint;
  std::string old_sha1, new_sha1;
  std::vector<std::string> names;
  std::string issuer;
  std::string path;      // of the certificate
  std::string lineage;   // its directory, if the event names no lineage
  std::string task;      // of an event about a task: the task
  int trigger = 0;       // … and the id of the event that triggered it
  std::string for_task;  // created for this task only, which already has its run
};
EventFacts facts_of(const Event& event);

// "*" in `pattern` matches one or more characters of any kind, including dots: "*.example.com"
// matches "a.example.com" and "a.b.example.com". Ignores case.
bool name_fits(std::string_view pattern, std::string_view name);

// True if the event is one of the task's and passes its filters.
bool is_of_interest(const Task& task, const EventFacts& facts);

// True if the event triggers the task: it is of interest, the task is enabled, and there is no
// loop. An event about a task's own run does not trigger that task. Nor does an event about a task
// that was itself triggered by an event about a task.
bool triggers(const Task& task, const EventFacts& facts);

// The program with its arguments and its whole environment; docs/tasks.md lists both. The program
// is as written in the task, without a PATH search.
Command command_for(const Task& task, const EventFacts& facts, const Settings& settings,
                    const std::string& home);

}  // namespace certrebind
