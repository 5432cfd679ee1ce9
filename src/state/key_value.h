// Small named values that outlive the daemon. Use these inside Database::atomically or guarded:
// they throw what SQLiteCpp throws.
#pragma once

#include <optional>
#include <string>

#include "state/database.h"

namespace certrebind {

std::optional<std::string> stored_value(Database& database, const std::string& name);
void store_value(Database& database, const std::string& name, const std::string& value);
void erase_value(Database& database, const std::string& name);

}  // namespace certrebind
