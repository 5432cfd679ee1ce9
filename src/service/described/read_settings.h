// Reads all sources of a description into one tree: files with what they include, the output of
// programs, and the process's arguments.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "service/described/description.h"
#include "service/described/settings_tree.h"
#include "service/root.h"
#include "sys/processes.h"

namespace certrebind::described {

// What the sources are read from, and with whose rights.
struct ReadContext {
  Root& root;  // its files are those of the server's owner
  Commands& commands;
  uint32_t user = 0;                                // runs the programs
  const std::map<std::string, std::string>& fixed;  // for templates: "configuration", "directory"
  const std::vector<std::string>& arguments;        // of the process
  const std::vector<std::string>& environment;      // for the programs; empty: ours
};

// An error only if the main configuration cannot be read.
Result<SettingsTree> read_settings(const Description& description, const ReadContext& context);

// The program at one of the usual places of programs, or the path itself. As root only if nobody
// but root could have put it there: otherwise Code::denied.
Result<std::string> program_path(const Files& files, const std::string& name);

}  // namespace certrebind::described
