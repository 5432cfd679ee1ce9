#include "cli/list_options.h"

#include <fmt/format.h>

#include <algorithm>

namespace certrebind {

namespace {

std::string at_least_one(const std::string& typed) {
  const bool counts = typed.size() < 10 &&
                      typed.find_first_not_of("0123456789") == std::string::npos &&
                      typed.find_first_not_of('0') != std::string::npos;
  return counts ? "" : "'" + typed + "' is not a number of 1 or more";
}

}  // namespace

size_t ListOptions::shown_of(size_t all) const {
  return limit == 0 ? all : std::min(all, static_cast<size_t>(limit));
}

bool ListOptions::wants(const Binding& binding) const {
  return site.empty() || binding.site == site ||
         std::ranges::find(binding.names, site) != binding.names.end();
}

bool ListOptions::wants(WallTime end, WallTime now) const {
  return expiring == kAnyDay || std::chrono::floor<std::chrono::days>(end - now).count() < expiring;
}

CommandOption site_option(ListOptions& options) {
  return {"--site", &options.site, "only this site", "NAME"};
}

CommandOption expiring_option(ListOptions& options) {
  return {"--expiring", &options.expiring, "only what expires within so many days",
          "DAYS",       Need::optional,    in_range(0, kMostDays)};
}

CommandOption limit_option(ListOptions& options, const char* name, const char* help) {
  return {name, &options.limit, help, "N", Need::optional, at_least_one};
}

std::string more_line(size_t left_out, const std::string& command) {
  if (left_out == 0) return "";
  return fmt::format("and {} more; all of them: {}\n", left_out, command);
}

}  // namespace certrebind
