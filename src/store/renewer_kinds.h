// Reads the files of each kind of renewer. For renewers.cc only.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/renewers.h"

namespace certrebind {

// The command line of a scheduled job that runs the renewer for this certificate, if any. Its
// options tell what the renewer's files do not.
using JobWords = std::vector<std::string>;

struct RenewerKind {
  const char* kind;                        // of the store
  std::vector<std::string> programs;       // program names of the renewer
  std::vector<std::string> name_options;   // options that restrict a run to some certificates
  std::vector<std::string> place_options;  // options that name the renewer's directory or file

  // The lineage to which `within`, a path relative to the store, belongs. Unset if it belongs to no
  // certificate. Fills in all that the renewer's files tell.
  std::optional<Lineage> (*read)(const Files&, const StoreSetting&, const std::string& within);
  // only the scheduled job contains the renewal command
  bool takes_command_of_job;

  // Fills in what only the scheduled command line tells, or what happens without one.
  void (*apply)(const Files&, const JobWords&, Lineage&);
  // Paths outside the store that the renewer writes, each with the path in the store of which it is
  // a copy.
  std::vector<std::pair<std::string, std::string>> (*copies)(const Files&, const StoreSetting&);
};

// Null for a kind that renews nothing ("directory").
const RenewerKind* renewer_kind(const std::string& kind);

// Helpers for the readers of each kind.

// The program's path in the usual directories; empty if it is not installed.
std::string find_program(const Files& files, const std::vector<std::string>& names);
// Sets the two commands and their text, or the message that the program is missing.
void set_command(Lineage& lineage, const std::string& program,
                 const std::vector<std::string>& arguments, const std::vector<std::string>& force);
// Not-before and not-after of the certificate at a path; unset if there is none.
std::optional<std::pair<WallTime, WallTime>> validity_at(const Files& files,
                                                         const std::string& path);
// Sets the due time to this long before the certificate expires.
void set_due_before_expiry(const Files& files, std::chrono::seconds before, std::string rule,
                           Lineage& lineage);

RenewerKind certbot_kind();
RenewerKind lego_kind();
RenewerKind uacme_kind();
RenewerKind dehydrated_kind();
RenewerKind acme_sh_kind();
RenewerKind certmonger_kind();

}  // namespace certrebind
