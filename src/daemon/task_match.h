// Which events trigger a task, and the command that an event makes of it. Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/task.h"
#include "lifecycle/events.h"
#include "state/settings.h"
#include "sys/processes.h"

namespace certrebind {

// What tasks ask of an event; empty where it does not say.
struct EventFacts {
  int64_t record = 0;
  int id = 0;  // 0: no event; a timer or a person
  std::string service;
  std::string old_thumbprint, new_thumbprint;
  std::string old_sha1, new_sha1;
  std::vector<std::string> names;
  std::string issuer;
  std::string path;      // where the certificate lies
  std::string lineage;   // its directory, where the event names none
  std::string task;      // of an event of a task: whose
  int trigger = 0;       // … and the id of the event that had triggered it
  std::string for_task;  // made up for one task, which has its run already
};
EventFacts facts_of(const Event& event);

// `pattern` has "*" for one or more characters of any kind, dots included: "*.example.com" fits
// "a.example.com" and "a.b.example.com". Case does not matter.
bool name_fits(std::string_view pattern, std::string_view name);

// The event is one of the task's and passes its filters.
bool is_of_interest(const Task& task, const EventFacts& facts);

// It triggers the task: it is of interest, the task is enabled, and no loop would come of it: no
// task is triggered by what became of itself, nor by what became of a task that was itself
// triggered by what became of one.
bool triggers(const Task& task, const EventFacts& facts);

// The program with its arguments and its whole environment; docs/tasks.md lists both. The program
// is as the task has it: not looked up.
Command command_for(const Task& task, const EventFacts& facts, const Settings& settings,
                    const std::string& home);

}  // namespace certrebind
