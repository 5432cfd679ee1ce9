// The configuration that is in force for what the daemon starts: the file, or, while there is a
// mistake in it, what it said last without one. A misspelt key must not stop every renewal.
#pragma once

#include <string>

#include "base/result.h"
#include "sys/files.h"

namespace certrebind {

// The copy of the last good content, beside the file, because the tasks lie relative to it.
std::string last_good_copy(const std::string& file);

class ConfigInForce {
 public:
  // `file`: certrebind.toml. `files` must outlive this object.
  ConfigInForce(Files& files, std::string file);

  // Reads the file again, and keeps a copy if it is good. Returns the mistake, with file and line.
  Done look();
  // Whether the last good content could be kept. If not, a later mistake stops what is automatic.
  const Done& kept() const { return kept_; }
  // What to pass as --config.
  const std::string& path() const { return path_; }

 private:
  Done keep(const std::string& content);

  Files& files_;
  std::string file_;
  std::string copy_;
  std::string path_;
  Done kept_;
};

}  // namespace certrebind
