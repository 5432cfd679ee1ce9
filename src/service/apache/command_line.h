// The arguments of httpd, and what it says of how it was built.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "service/apache/config.h"

namespace certrebind::apache {

struct CommandLine {
  std::string config;       // -f; empty: not given
  std::string server_root;  // -d
  std::vector<std::string> defines;
  std::vector<std::string> directives_before;  // -C
  std::vector<std::string> directives_after;   // -c
  bool one_shot = false;                       // it tests, reports or signals, and serves nothing
};

// Takes argv, the program first.
CommandLine parse_arguments(const std::vector<std::string>& arguments);

struct BuildDefaults {
  std::string server_root;  // HTTPD_ROOT
  std::string config;       // SERVER_CONFIG_FILE: as a rule relative to the ServerRoot, -d too
  Version version;
  std::vector<std::string> modules;  // compiled in: "mod_so.c"
};

// Takes the output of `httpd -V` and `httpd -l`.
BuildDefaults parse_build(std::string_view settings, std::string_view modules);

// The variables that Debian's envvars file exports: plain assignments, with $NAME and ${NAME} put
// in. Other shell is passed over. What is `given` stays as it is, whatever is assigned.
std::vector<std::string> parse_envvars(std::string_view text,
                                       const std::map<std::string, std::string>& given = {});

}  // namespace certrebind::apache
