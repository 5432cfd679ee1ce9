// Problems that need a person: reported once, and listed until they are solved.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "state/database.h"

namespace certrebind {

struct Attention {
  std::string subject;   // the affected object, unique: "nginx:/etc/nginx/nginx.conf 1a2b…"
  std::string sentence;  // what happened
  std::string next;      // the command to run, or the decision to make
  WallTime since = {};
};

// Makes the list of subjects that begin with `prefix` equal to `now_needed`. A new entry is an
// event (2012), a removed one too (2013). All other entries stay unchanged.
Done set_attention(Database& database, const std::string& prefix,
                   const std::vector<Attention>& now_needed, WallTime now);

// All entries that need attention, oldest first.
Result<std::vector<Attention>> attention(Database& database);

}  // namespace certrebind
