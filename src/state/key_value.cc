#include "state/key_value.h"

namespace certrebind {

std::optional<std::string> stored_value(Database& database, const std::string& name) {
  SQLite::Statement select(database.handle(), "SELECT value FROM marks WHERE name = ?");
  select.bind(1, name);
  if (!select.executeStep()) return std::nullopt;
  return select.getColumn(0).getString();
}

void store_value(Database& database, const std::string& name, const std::string& value) {
  SQLite::Statement insert(database.handle(), "INSERT OR REPLACE INTO marks VALUES (?, ?)");
  insert.bind(1, name);
  insert.bind(2, value);
  insert.exec();
}

void erase_value(Database& database, const std::string& name) {
  SQLite::Statement remove(database.handle(), "DELETE FROM marks WHERE name = ?");
  remove.bind(1, name);
  remove.exec();
}

}  // namespace certrebind
