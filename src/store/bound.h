// Stores the bindings that the last survey found, for the daemon, which parses no server's
// configuration.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "state/database.h"

namespace certrebind {

struct BoundRow {
  std::string service;  // kind:path
  std::string site;
  std::string role;  // server, client
  std::vector<std::string> names;
  std::string certificate;  // path as bound; never empty
  std::string key;
};

// The bindings of one service and its configuration: files, and directories of further files.
struct BoundService {
  std::string service;
  std::vector<BoundRow> rows;
  std::vector<std::string> configured_by;
};

// Whether a service, as recorded, runs in a container:
// "nginx:/proc/4711/root/etc/nginx/nginx.conf".
bool runs_in_container(const std::string& service);

// Replaces what is recorded for these services. `whole`: these are all running services. Other
// recorded services with bindings are kept until `forget_bound`, because they may only be stopped;
// not those in containers, which come again as other processes. Writes only differences. Returns
// true if anything changed.
Result<bool> remember_bound(Database& database, const std::vector<BoundService>& services,
                            bool whole);

// Returns true if anything was recorded for the service.
Result<bool> forget_bound(Database& database, const std::string& service);

Result<std::vector<BoundRow>> bound_rows(Database& database);
// The configuration paths of all recorded services.
Result<std::vector<std::string>> configuration_paths(Database& database);

}  // namespace certrebind
