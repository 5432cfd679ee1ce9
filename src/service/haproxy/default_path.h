// `default-path`: the directory in which HAProxy reads the lines of a file (since 2.5).
#pragma once

#include <string>
#include <string_view>

#include "service/root.h"

namespace certrebind::haproxy {

class DefaultPath {
 public:
  // `started_in`: HAProxy's working directory, absolute inside the root.
  DefaultPath(std::string started_in, Root& root)
      : started_in_(std::move(started_in)), directory_(started_in_), root_(root) {}

  // HAProxy begins to read this file, which is absolute inside the root.
  void enter(const std::string& file);
  // `default-path MODE [ORIGIN]` in this file: counts at once, and for the files after it.
  void set(std::string_view mode, std::string_view origin, const std::string& file);

  // Absolute inside the root.
  const std::string& directory() const { return directory_; }

 private:
  enum class Mode { current, config, parent, origin };
  std::string directory_of(const std::string& file) const;

  std::string started_in_;
  std::string directory_;
  std::string origin_;
  Mode mode_ = Mode::current;
  Root& root_;
};

}  // namespace certrebind::haproxy
