#include "daemon/config_in_force.h"

#include "base/text.h"
#include "state/settings.h"
#include "store/stores.h"

namespace certrebind {

std::string last_good_copy(const std::string& file) {
  return parent_directory(file) + "/." + file_name(file) + ".last-good";
}

ConfigInForce::ConfigInForce(Files& files, std::string file)
    : files_(files), file_(std::move(file)), copy_(last_good_copy(file_)), path_(file_) {}

Done ConfigInForce::look() {
  auto content = files_.read(file_, kConfigLimit);
  path_ = file_;
  if (!content && content.error().code == Code::not_found) {
    if (files_.lstat(copy_)) return files_.remove(copy_);
    return {};
  }
  Settings defaults;
  defaults.config_file = file_;
  auto loaded = load_settings(files_, std::move(defaults), true);
  Done good = loaded ? check_stores(loaded->stores) : pass(loaded);
  if (good && content) kept_ = keep(*content);
  if (good) return content ? Done() : pass(content);
  if (files_.stat(copy_)) path_ = copy_;
  return good;
}

Done ConfigInForce::keep(const std::string& content) {
  if (auto kept = files_.read(copy_, kConfigLimit); kept && *kept == content) return {};
  const std::string temporary = copy_ + ".new";
  if (files_.lstat(temporary))
    if (Done removed = files_.remove(temporary); !removed) return removed;
  Done written =
      files_.create(temporary, content, {.mode = 0600, .owner = {}, .group = {}, .extended = {}});
  return written ? files_.rename(temporary, copy_) : written;
}

}  // namespace certrebind
