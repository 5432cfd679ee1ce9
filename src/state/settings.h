// The administrator's settings: /etc/certrebind/certrebind.toml, and the locations of all files.
// Every path can be changed, for tests and for ordinary users.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sys/files.h"

namespace certrebind {

// A certificate store with the directory layout of a renewer. See store/stores.h for the kinds.
struct StoreSetting {
  std::string kind;
  std::string path;
  // The command that renews a certificate, if the renewer's own files do not tell: an argument
  // vector in which "{name}" stands for the certificate's name. Empty: use the renewer's files.
  std::vector<std::string> renew = {};
};

// What the daemon does automatically with bindings that match a policy. The first matching policy
// decides.
struct Policy {
  enum class Automatic { yes, notify, no };  // no: nothing; notify: only report to a person
  std::string service = "*";                 // patterns in which "*" matches anything
  std::string site = "*";
  std::string certificate = "*";  // the path as bound
  Automatic automatic = Automatic::yes;
  std::string window = {};  // as for parse_window: no automatic action outside it; empty: always
  // A server that loads certificates at its start only may be restarted, within the window. Only in
  // a policy for whole services.
  bool allow_restart = false;
};

struct Settings {
  std::string config_file = "/etc/certrebind/certrebind.toml";
  std::string state_directory = "/var/lib/certrebind";
  std::string run_directory = "/run/certrebind";

  std::vector<StoreSetting> stores;  // the usual stores and those of [[store]]

  // A certificate is "about to expire" when this part of its lifetime is left, but never earlier
  // than this number of days before its end.
  double expiry_fraction = 0.10;
  int expiry_days = 30;
  // Days before the end, from the command line; the first replaces the two above.
  std::optional<int> warning_days = {};
  std::optional<int> critical_days = {};

  milliseconds verify_at_least = milliseconds(10'000);  // minimum time allowed for a reload
  milliseconds handshake_deadline = milliseconds(5'000);
  int keep_days = 90;  // how long before-images are kept for undo

  std::vector<Policy> policies;

  // Users whose servers root manages, with the rights of the respective user: names or numbers.
  std::vector<std::string> users;

  // The daemon collects changes into a batch until nothing changed for `quiet`, but at most for
  // `gather`.
  milliseconds quiet = milliseconds(2'000);
  milliseconds gather = milliseconds(30'000);
  bool verbose = false;  // accounts name every endpoint, not only the first few
  milliseconds pair_patience =
      milliseconds(60'000);  // waiting time for a key that does not match yet
  int log_events = 10'000;   // maximum number of events in the lifecycle log
  int log_days = 400;        // … and their maximum age

  // The directory of the task files, one file per task. It is beside the configuration file.
  std::string tasks_directory() const;
  // The directory of the administrator's descriptions of services, beside it, too.
  std::string descriptions_directory() const;
  // The directory of certrebind's own certificates (store/own.h). It is beside the configuration
  // file, too.
  std::string certificates_directory() const;
  // The directory of open requests (store/requests.h), beside it as well.
  std::string requests_directory() const;
};

// Reads the configuration file over the defaults. A missing file is no error unless `must_exist`.
// Unknown keys, wrong types and values out of range are errors (Code::usage) that name file and
// line.
Result<Settings> load_settings(const Files& files, Settings defaults, bool must_exist);

}  // namespace certrebind
