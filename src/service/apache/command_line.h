// The arguments and build options of httpd.
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
  bool one_shot = false;                       // tests, reports or signals, but serves nothing
};

// Takes argv, the program first.
CommandLine parse_arguments(const std::vector<std::string>& arguments);

struct BuildDefaults {
  std::string server_root;  // HTTPD_ROOT
  std::string config;  // SERVER_CONFIG_FILE: usually relative to the ServerRoot, also to that of -d
  Version version;
  std::vector<std::string> modules;  // compiled in: "mod_so.c"
};

// Takes the output of `httpd -V` and `httpd -l`.
BuildDefaults parse_build(std::string_view settings, std::string_view modules);

// The variables that Debian's envvars file exports. Reads plain assignments, and expands $NAME and
// ${NAME}. Skips other shell code. Variables in `given` keep their values, whatever the file
// assigns.
std::vector<std::string> parse_envvars(std::string_view text,
                                       const std::map<std::string, std::string>& given = {});

}  // namespace certrebind::apache
