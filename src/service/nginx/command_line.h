// What an nginx was started with, from its own words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace certrebind::nginx {

struct CommandLine {
  std::string config;              // -c; empty without one
  std::string prefix;              // -p
  std::vector<std::string> extra;  // -g and -e with their values
  bool one_shot = false;           // -t, -T, -s, -v, -V, -h: it is no server
};

// Takes an argument vector, the program's name first (ngx_get_options: flags may be run together,
// and a value may follow its letter directly).
CommandLine parse_arguments(const std::vector<std::string>& arguments);

// Takes the title of a master, "nginx: master process /usr/sbin/nginx -g daemon on;", in which
// nginx has joined its arguments by blanks. A value ends where the next option begins, so one that
// contains " -c " itself is read wrongly. Nothing for any other title.
std::optional<CommandLine> parse_master_title(std::string_view title);

// What was compiled in.
struct BuildDefaults {
  std::string prefix;
  std::string config;  // absolute
};

// Takes the output of `nginx -V`.
BuildDefaults parse_build_defaults(std::string_view output);

}  // namespace certrebind::nginx
