// The basis of every command: the global options, the settings and the host.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "acts/rebind.h"
#include "cli/program.h"
#include "observe/looking.h"
#include "state/settings.h"
#include "sys/disk.h"
#include "sys/host.h"

namespace certrebind {

// As typed; empty if not given.
struct GlobalOptions {
  std::string config;
  std::string state;
  std::string run;
  std::vector<std::string> services;
  bool json = false;
  bool verbose = false;
  bool no_pager = false;
};

// Where the settings come from.
struct ConfigSource {
  // certrebind.toml; while there is a mistake in it, its last good copy, or empty: the defaults.
  std::string file;
  std::optional<Error> mistake;
};

// Whether a command runs although certrebind.toml has a mistake.
enum class Mistakes { end_it, are_borne };

class Context {
 public:
  // Code::usage for invalid options, variables or configuration files.
  static Result<std::unique_ptr<Context>> create(const GlobalOptions& options, Mistakes mistakes);

  const ConfigSource& config_source() const { return config_source_; }

  Host host();
  const Settings& settings() const { return settings_; }
  const std::vector<ServiceId>& only() const { return only_; }
  const Prober& prober() const { return *prober_; }
  Asker& asker() { return *asker_; }
  bool json() const { return json_; }

  // The recorded history; empty if there is no state yet.
  const History& history();
  // Records what a survey found, if there is a state directory and no other process holds the lock.
  void remember(const Survey& survey);
  Looking looking() {
    return {.host = host(), .settings = settings_, .asker = *asker_, .only = only_};
  }

 private:
  Done load(Settings defaults, bool must_exist, Mistakes mistakes);

  Settings settings_;
  ConfigSource config_source_;
  std::vector<ServiceId> only_;
  bool json_ = false;
  Disk disk_;
  SystemProcessTable processes_;
  SystemCommands commands_;
  SystemNetwork network_;
  SystemClock clock_;
  std::unique_ptr<Prober> prober_;
  std::unique_ptr<Asker> asker_;
  std::optional<State> state_;  // opened for reading, like the two below
  std::optional<Journal> journal_;
  History history_;
};

// `path` made absolute against the working directory.
std::string absolute(const std::string& path);

// Prints "certrebind: cannot …" and the hint to stderr.
void warn(const Error& error);
// The same for the error that ends the command; --json tells it too. Returns the matching exit
// code.
int report(const Error& error);
// The same for something that was looked for in vain. If this user may not read certrebind's
// records, that is the error, because it may be known there.
int report_lookup(const Context& context, const Error& error);

}  // namespace certrebind
