// What each renewer's own files say. For renewers.cc alone.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/renewers.h"

namespace certrebind {

// A job's command line that runs the renewer for this certificate, if one does; its options tell
// what the renewer's files do not.
using JobWords = std::vector<std::string>;

struct RenewerKind {
  const char* kind;                        // of the store
  std::vector<std::string> programs;       // names under which it is started
  std::vector<std::string> name_options;   // that restrict a run to some certificates
  std::vector<std::string> place_options;  // that say which directory or file it works with

  // The lineage to which `within`, a path relative to the store, belongs; none if it is no
  // certificate's. Fills in all that the renewer's files tell.
  std::optional<Lineage> (*read)(const Files&, const StoreSetting&, const std::string& within);
  // What renews it stands nowhere but in the job that is run regularly.
  bool takes_command_of_job;

  // Fills in what only the command line tells that is run regularly, or what happens without one.
  void (*apply)(const Files&, const JobWords&, Lineage&);
  // Paths outside the store that the renewer writes, each with the path in the store it belongs to.
  std::vector<std::pair<std::string, std::string>> (*copies)(const Files&, const StoreSetting&);
};

// Null for a kind that renews nothing ("directory").
const RenewerKind* renewer_kind(const std::string& kind);

// For the readers of each kind.

// The program's path in the usual places; empty where it is not installed.
std::string find_program(const Files& files, const std::vector<std::string>& names);
// Sets the two commands and their text, or says that the program is missing.
void set_command(Lineage& lineage, const std::string& program,
                 const std::vector<std::string>& arguments, const std::vector<std::string>& force);
// Not-before and not-after of the certificate there; none if there is none.
std::optional<std::pair<WallTime, WallTime>> validity_at(const Files& files,
                                                         const std::string& path);
// Due so long before its certificate expires.
void set_due_before_expiry(const Files& files, std::chrono::seconds before, std::string rule,
                           Lineage& lineage);

RenewerKind certbot_kind();
RenewerKind lego_kind();
RenewerKind uacme_kind();
RenewerKind dehydrated_kind();
RenewerKind acme_sh_kind();
RenewerKind certmonger_kind();

}  // namespace certrebind
