#include "service/haproxy/default_path.h"

#include "base/text.h"

namespace certrebind::haproxy {

// HAProxy takes what stands before the last slash, and stays where it was started if that is empty,
// as for "x.cfg" and also for "/x.cfg".
std::string DefaultPath::directory_of(const std::string& file) const {
  std::string directory = file.substr(0, file.rfind('/'));
  return directory.empty() ? started_in_ : directory;
}

void DefaultPath::enter(const std::string& file) {
  directory_ = started_in_;
  if (mode_ == Mode::origin) directory_ = absolute_in(started_in_, origin_);
  if (mode_ == Mode::config) directory_ = directory_of(file);
  if (mode_ != Mode::parent) return;
  // The directory above the real one, as chdir(2) finds it.
  auto real = root_.real_path(directory_of(file));
  auto inside = real ? root_.inside(*real) : std::nullopt;
  directory_ = parent_directory(inside.value_or(directory_of(file)));
}

void DefaultPath::set(std::string_view mode, std::string_view origin, const std::string& file) {
  if (mode == "current") mode_ = Mode::current;
  if (mode == "config") mode_ = Mode::config;
  if (mode == "parent") mode_ = Mode::parent;
  if (mode == "origin") {
    mode_ = Mode::origin;
    origin_ = origin;
  }
  enter(file);
}

}  // namespace certrebind::haproxy
