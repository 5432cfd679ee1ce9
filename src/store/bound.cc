#include "store/bound.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "sys/container.h"

namespace certrebind {

namespace {

using Row = std::vector<std::string>;

Row flat(const BoundRow& row) {
  return {row.service, row.site, row.role, join(row.names, " "), row.certificate, row.key};
}

std::vector<Row> select(Database& database, const std::string& query, int columns) {
  std::vector<Row> rows;
  SQLite::Statement statement(database.handle(), query);
  while (statement.executeStep()) {
    Row row;
    for (int column = 0; column < columns; ++column)
      row.push_back(statement.getColumn(column).getString());
    rows.push_back(std::move(row));
  }
  return rows;
}

void insert(Database& database, const std::string& query, const std::vector<Row>& rows) {
  SQLite::Statement statement(database.handle(), query);
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) statement.bind(static_cast<int>(i) + 1, row[i]);
    statement.exec();
    statement.reset();
  }
}

constexpr const char* kBound = "SELECT service, site, role, names, certificate, key FROM bound";

struct Tables {
  std::vector<Row> bound, configurations;
  bool operator==(const Tables&) const = default;

  void sort() {
    std::ranges::sort(bound);
    std::ranges::sort(configurations);
    configurations.erase(std::ranges::unique(configurations).begin(), configurations.end());
  }
};

Tables stored(Database& database) {
  return {select(database, kBound, 6),
          select(database, "SELECT service, path FROM configurations", 2)};
}

Tables merged(Tables known, const std::vector<BoundService>& services, bool whole) {
  std::set<std::string> replaced;
  for (const BoundService& service : services) replaced.insert(service.service);
  std::set<std::string> binding;
  for (const Row& row : known.bound) binding.insert(row.front());
  auto is_replaced = [&](const Row& row) {
    return replaced.contains(row.front()) ||
           (whole && (!binding.contains(row.front()) || runs_in_container(row.front())));
  };
  std::erase_if(known.bound, is_replaced);
  std::erase_if(known.configurations, is_replaced);
  for (const BoundService& service : services) {
    for (const BoundRow& row : service.rows) known.bound.push_back(flat(row));
    for (const std::string& path : service.configured_by)
      known.configurations.push_back({service.service, path});
  }
  known.sort();
  return known;
}

}  // namespace

bool runs_in_container(const std::string& service) {
  return !container_of(service.substr(service.find(':') + 1)).empty();
}

Result<bool> remember_bound(Database& database, const std::vector<BoundService>& services,
                            bool whole) {
  bool differs = false;
  Done written = database.atomically("remember what is bound", [&] {
    Tables known = stored(database);
    known.sort();
    Tables now = merged(known, services, whole);
    if (now == known) return;
    differs = true;
    database.handle().exec("DELETE FROM bound; DELETE FROM configurations;");
    insert(database, "INSERT INTO bound VALUES (?, ?, ?, ?, ?, ?)", now.bound);
    insert(database, "INSERT INTO configurations VALUES (?, ?)", now.configurations);
  });
  if (!written) return pass(written);
  return differs;
}

Result<bool> forget_bound(Database& database, const std::string& service) {
  bool known = false;
  Done written = database.atomically("forget what is bound", [&] {
    for (const char* table : {"bound", "configurations"}) {
      SQLite::Statement erase(database.handle(),
                              "DELETE FROM " + std::string(table) + " WHERE service = ?");
      erase.bind(1, service);
      known = erase.exec() > 0 || known;
    }
  });
  if (!written) return pass(written);
  return known;
}

Result<std::vector<BoundRow>> bound_rows(Database& database) {
  return database.guarded("read what is bound", [&] {
    std::vector<BoundRow> rows;
    for (Row& row : select(database, kBound, 6))
      rows.push_back({.service = row[0],
                      .site = row[1],
                      .role = row[2],
                      .names = row[3].empty() ? std::vector<std::string>() : split(row[3], ' '),
                      .certificate = row[4],
                      .key = row[5]});
    return rows;
  });
}

Result<std::vector<std::string>> configuration_paths(Database& database) {
  return database.guarded("read what services are configured by", [&] {
    std::vector<std::string> paths;
    for (Row& row : select(database, "SELECT DISTINCT path FROM configurations", 1))
      paths.push_back(std::move(row[0]));
    return paths;
  });
}

}  // namespace certrebind
