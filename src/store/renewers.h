// Renewers: which program renews a certificate, with which command, when it will do so by itself,
// and which scheduled job of this host runs it. Only reads files. docs/renewers.md says what was
// observed, and how.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "state/settings.h"
#include "store/schedules.h"
#include "store/stores.h"
#include "sys/files.h"

namespace certrebind {

// One certificate as its renewer knows it, across all renewals.
struct Lineage {
  std::string renewer;  // "certbot", "lego", "acme.sh", "dehydrated", "uacme", "certmonger", or the
                        // program that the configuration names
  std::string name;     // the renewer's name for the certificate
  std::string directory;         // of the certificate's files; certbot's RENEWED_LINEAGE
  std::string certificate_path;  // where the renewer writes the certificate, with its chain if it
                                 // writes one
  std::string key_path;
  std::vector<std::string> hooks;  // commands and scripts that the renewer runs after a renewal

  // Renews the certificate if the renewer finds it due. If empty, `no_command` says why.
  std::vector<std::string> renew;
  std::vector<std::string>
      renew_now;  // Renews it whether due or not; empty if the renewer has no such command.
  std::string no_command;
  std::string command_text;         // text of `renew`, for display
  std::optional<int> status_undue;  // the exit status other than 0 that means "not due yet"
  std::vector<std::string> obeys;   // files that determine what the command does

  std::optional<WallTime> due;  // when the renewer will find it due; unset: unknown, or never
  std::string due_rule;  // the rule for `due`, or why never: "30 days before it expires (lego)"

  std::string scheduled_by;   // the job that runs the renewer: "certbot.timer"; empty: none
  std::string schedule_note;  // a job that should run it, and why it does not; may be empty
};

class Renewers {
 public:
  // Reads the schedules and the files outside the renewers' own directories once. `user`: the user
  // who would run the commands; files that other users can write are ignored for them.
  Renewers(const Files& files, const std::vector<StoreSetting>& stores, uint32_t user);
  Renewers(const Renewers&) = delete;  // contains pointers into itself

  // The lineage of the file at `path`, as typed or with links resolved. Unset if no renewer owns
  // it.
  std::optional<Lineage> owner_of(const std::string& path) const;

 private:
  struct Copy {  // a path outside the store that the renewer also writes
    const StoreSetting* store;
    std::string within;  // the path inside the store of which it is a copy
  };
  struct Use {  // a job that runs a renewer
    const Job* job;
    std::vector<std::string> words;
  };

  void note_copies(const StoreSetting& store);
  std::optional<Lineage> read(const StoreSetting& store, const std::string& within) const;
  void find_schedule(const StoreSetting& store, Lineage& lineage) const;
  void refuse_what_others_write(Lineage& lineage) const;

  const Files& files_;
  std::vector<StoreSetting> stores_;
  uint32_t user_;
  std::vector<Job> jobs_;
  std::map<std::string, std::vector<Use>> uses_;  // by kind of store
  std::map<std::string, Copy> copies_;            // by path
};

}  // namespace certrebind
