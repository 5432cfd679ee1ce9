// The options of commands that list things. They mean the same in every command.
#pragma once

#include <string>

#include "cli/command_line.h"
#include "service/service.h"

namespace certrebind {

inline constexpr int kAnyDay = -1;
inline constexpr int kMostDays = 3650;

struct ListOptions {
  std::string site = {};
  int expiring = kAnyDay;
  int64_t limit = 0;  // 0: all

  // How many of so many are printed.
  size_t shown_of(size_t all) const;
  // True for a binding of the site, by its name or another of its names, or if no site was given.
  bool wants(const Binding& binding) const;
  // True if it ends within the days that were given, or if none were.
  bool wants(WallTime end, WallTime now) const;
};

CommandOption site_option(ListOptions& options);
CommandOption expiring_option(ListOptions& options);
CommandOption limit_option(ListOptions& options, const char* name = "--limit,-n",
                           const char* help = "print only the first N");

// The line for people after a list that was cut off: "and 3 more; all of them: certrebind scan".
// Empty if nothing was left out.
std::string more_line(size_t left_out, const std::string& command);

}  // namespace certrebind
