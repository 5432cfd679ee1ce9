// Small facts that outlive the daemon, by name. For use inside Database::atomically or guarded:
// these throw what SQLiteCpp throws.
#pragma once

#include <optional>
#include <string>

#include "state/database.h"

namespace certrebind {

std::optional<std::string> stored_value(Database& database, const std::string& name);
void store_value(Database& database, const std::string& name, const std::string& value);
void erase_value(Database& database, const std::string& name);

}  // namespace certrebind
