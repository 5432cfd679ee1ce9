// What needs a person: told once, shown until it is over.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "state/database.h"

namespace certrebind {

struct Attention {
  std::string subject;   // what it is about, once each: "nginx:/etc/nginx/nginx.conf 1a2b…"
  std::string sentence;  // the fact
  std::string next;      // the command to run, or what to decide
  WallTime since;
};

// Makes the list of one kind of subjects, those that begin with `prefix`, what `now_needed` says:
// what is new is an event (2012), what is no longer needed is over (2013), the rest is left as it
// stands.
Done set_attention(Database& database, const std::string& prefix,
                   const std::vector<Attention>& now_needed, WallTime now);

// Everything that needs a person, the oldest first.
Result<std::vector<Attention>> attention(Database& database);

}  // namespace certrebind
