// What the journal stores about a transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lifecycle/events.h"
#include "proof/expectation.h"
#include "service/service.h"
#include "transaction/planned_file.h"

namespace certrebind {

enum class Act { rebind, undo, restore };
std::string to_text(Act act);
Act act_named(const std::string& name);  // `rebind` for an unknown name

enum class Phase {
  planned,
  staged,
  swapping,
  swapped,
  tested,
  reloading,
  verifying,
  committed,
  restoring,
  restored,
  refused,
  stuck,  // ended, and needs an operator
};
std::string to_text(Phase phase);
Phase phase_named(const std::string& name);  // `stuck` for an unknown name

enum class Outcome { committed, rolled_back, refused, needs_operator };
std::string to_text(Outcome outcome);
std::optional<Outcome> outcome_named(const std::string& name);
EventId logged_as(Outcome outcome);

// A file that the transaction replaces. Its before-image is NUMBER in State::before_directory.
struct JournalFile {
  std::string path;
  std::string before_digest;  // SHA-256 of the content, hex
  std::string after_digest;
  std::string staging;  // directory of the temporary files
  bool was_absent = false;
  std::optional<ModeChange> mode = {};
};

struct JournalSuccession {
  std::string old_thumbprint;
  std::string new_thumbprint;
  std::vector<std::string> sites;
};

// What a transaction must achieve: it is requested, and the journal keeps it for recovery.
struct TransactionGoal {
  std::vector<JournalSuccession> successions = {};
  std::vector<Expectation> expectations = {};
  std::vector<std::string> loads = {};  // real paths of the files that the server must load
  // The other sites of this server. Those that answer before must still answer after a reload.
  std::vector<Expectation> others = {};
  // The current state may be broken: the server's test need not pass before, and endpoints that do
  // not answer now must answer afterwards.
  bool mends = false;
  // The user with whose rights the files are changed; 0: those of certrebind.
  uint32_t files_of = 0;
  // A person removes the replaced certificate: it must not come back automatically.
  bool decided = false;
};

struct JournalRecord : TransactionGoal {
  std::string token = {};  // makes the names of the staged files unique
  std::vector<JournalFile> files = {};
  // In Phase::restoring: the server may have been told to load the new content.
  bool told = true;
  // The systemd service that is restarted; empty: none.
  std::string unit = {};
};

struct TransactionRow {
  int64_t id = 0;
  Act act = Act::rebind;
  ServiceId service;
  Phase phase = Phase::planned;
  std::optional<Outcome> outcome;  // unset: running, or interrupted
  WallTime started;
  std::optional<WallTime> ended;
  std::optional<int64_t> undoes;
  bool owed = false;
  int sets = 0;
  std::string account;
  JournalRecord record;
};

struct Ending {
  Phase phase = Phase::committed;
  Outcome outcome = Outcome::committed;
  std::string account;  // lines for people
  bool owed = false;
  std::vector<EventId> events;  // events to log in addition to the outcome's own
};

}  // namespace certrebind
