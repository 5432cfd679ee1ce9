// Small facts that outlive the daemon, by name. For use inside Database::atomically or guarded:
// these throw what SQLiteCpp throws.
#pragma once

#include <optional>
#include <string>

#include "state/database.h"

namespace certrebind {

std::optional<std::string> mark_of(Database& database, const std::string& name);
void set_mark(Database& database, const std::string& name, const std::string& value);
void drop_mark(Database& database, const std::string& name);

}  // namespace certrebind
