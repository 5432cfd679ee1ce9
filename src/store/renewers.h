// Renewers: who renews a certificate, how it is told to, when it will do so by itself, and whether
// anything on this host runs it regularly. Only reads; docs/renewers.md says what and how it was
// observed.
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

// One certificate as its renewer knows it, through all its renewals.
struct Lineage {
  std::string renewer;           // "certbot", "lego", "acme.sh", "dehydrated", "uacme",
                                 // "certmonger", or the program that the configuration names
  std::string name;              // by which the renewer calls it
  std::string directory;         // of its files; certbot's RENEWED_LINEAGE
  std::string certificate_path;  // where the renewer puts the certificate, with its chain where it
                                 // writes one
  std::string key_path;
  std::vector<std::string> hooks;  // commands and scripts that the renewer runs after a renewal

  // Renews it if the renewer finds it due; empty where `no_command` says why not.
  std::vector<std::string> renew;
  std::vector<std::string> renew_now;  // … due or not; empty where the renewer cannot be told so
  std::string no_command;
  std::string command_text;         // of `renew`, to be shown
  std::optional<int> status_undue;  // its exit status, other than 0, for "not due yet"
  std::vector<std::string> obeys;   // files that decide what the command does

  std::optional<WallTime> due;  // when the renewer will find it due; none: unknown, or never
  std::string due_rule;         // by which rule, or why never: "30 days before it expires (lego)"

  std::string scheduled_by;   // what runs the renewer regularly: "certbot.timer"; empty: nothing
  std::string schedule_note;  // what would, and why it does not; may be empty
};

class Renewers {
 public:
  // Looks once at the schedules and at what renewers keep outside their own directories. `user`:
  // whose rights the commands would have; files that others may write are not obeyed for them.
  Renewers(const Files& files, const std::vector<StoreSetting>& stores, uint32_t user);
  Renewers(const Renewers&) = delete;  // it points into itself

  // Whose file lies at `path`, as typed or with its links resolved. None: nobody renews it.
  std::optional<Lineage> owner_of(const std::string& path) const;

 private:
  struct Copy {  // a path outside the store that the renewer writes too
    const StoreSetting* store;
    std::string within;  // the path inside the store that it belongs to
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
