// The arguments and build options of an nginx.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace certrebind::nginx {

struct CommandLine {
  std::string config;              // -c; empty if not given
  std::string prefix;              // -p
  std::vector<std::string> extra;  // -g and -e with their values
  bool one_shot = false;           // -t, -T, -s, -v, -V, -h: not a server
};

// Takes an argument vector, the program's name first. As in ngx_get_options, flags may be combined,
// and a value may follow its letter directly.
CommandLine parse_arguments(const std::vector<std::string>& arguments);

// Takes the title of a master, "nginx: master process /usr/sbin/nginx -g daemon on;", in which
// nginx joins its arguments with blanks. A value ends where the next option begins, so a value that
// contains " -c " is misread. Unset for any other title.
std::optional<CommandLine> parse_master_title(std::string_view title);

// The compiled-in defaults.
struct BuildDefaults {
  std::string prefix;
  std::string config;  // absolute
};

// Takes the output of `nginx -V`.
BuildDefaults parse_build_defaults(std::string_view output);

// Takes the program itself, which contains what `nginx -V` prints. For a program that is not run.
BuildDefaults find_build_defaults(std::string_view program);

}  // namespace certrebind::nginx
