// Where the settings in force come from: the line of certrebind.toml, or the default.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "state/settings.h"

namespace certrebind {

struct SettingInForce {
  std::string key;    // "daemon.quiet_seconds"
  std::string value;  // as in TOML
  int line = 0;       // in the configuration file; 0: the default
};

struct SettingsSource {
  std::string file;  // the file that was read; it may be missing
  std::vector<SettingInForce> settings;
  // The lines of the [[policy]] and [[store]] tables, in their order.
  std::vector<int> policies = {};
  std::vector<int> stores = {};
};

// Every setting with its value, except those of the tables [[policy]] and [[store]]. `file` is what
// `settings` were loaded from.
Result<SettingsSource> source_of_settings(const Files& files, const std::string& file,
                                          const Settings& settings);

}  // namespace certrebind
