// The configuration that is in force for what the daemon starts: the file, or, while there is a
// mistake in it, what it said last without one. A misspelt key must not stop every renewal.
#pragma once

#include <string>

#include "base/result.h"
#include "sys/files.h"

namespace certrebind {

class ConfigInForce {
 public:
  // `file`: certrebind.toml. The copy of its last good content is kept beside it, because relative
  // to it lie the tasks. `files` must outlive this object.
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
