// What an administrator may set: /etc/certrebind/certrebind.toml, and where everything lies. Every
// path is relocatable, for tests and for ordinary users.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sys/files.h"

namespace certrebind {

// A place where certificates live, as a renewer lays it out. See store/stores.h for the kinds.
struct StoreSetting {
  std::string kind;
  std::string path;
  // Renews what lies there where the renewer's own files do not tell how: an argument vector in
  // which "{name}" stands for the certificate's name. Empty: what the files tell.
  std::vector<std::string> renew = {};
};

// What happens by itself to the bindings that a policy fits; the first that fits decides.
struct Policy {
  enum class Automatic { yes, notify, no };  // no: left alone; notify: a person is told
  std::string service = "*";                 // patterns in which "*" stands for anything
  std::string site = "*";
  std::string certificate = "*";  // the path as bound
  Automatic automatic = Automatic::yes;
  std::string window = {};  // "02:00-04:00", local time: nothing by itself outside it
};

struct Settings {
  std::string config_file = "/etc/certrebind/certrebind.toml";
  std::string state_directory = "/var/lib/certrebind";
  std::string run_directory = "/run/certrebind";

  std::vector<StoreSetting> stores;  // the usual places and those of [[store]]

  // "About to expire": this part of the lifetime is left, but never more than so many days.
  double expiry_fraction = 0.10;
  int expiry_days = 30;

  milliseconds verify_at_least = milliseconds(10'000);  // how long a reload may take at the least
  milliseconds handshake_deadline = milliseconds(5'000);
  int keep_days = 90;  // how long before-images are kept for undo

  std::vector<Policy> policies;

  // Users whose servers root looks after, with the rights of each: names or numbers.
  std::vector<std::string> users;

  // The daemon: a batch is gathered until nothing changed for `quiet`, but at most for `gather`.
  milliseconds quiet = milliseconds(2'000);
  milliseconds gather = milliseconds(30'000);
  milliseconds pair_patience = milliseconds(60'000);  // for a key that does not match yet
  int log_events = 10'000;                            // the lifecycle log keeps so many events
  int log_days = 400;                                 // … and none that is older

  // Where tasks are described, one file each: beside the configuration file.
  std::string tasks_directory() const;
};

// Reads the configuration file over the defaults. A missing file is no error unless `must_exist`.
// Unknown keys, wrong types and values out of range are errors (Code::usage) that name file and
// line.
Result<Settings> load_settings(const Files& files, Settings defaults, bool must_exist);

}  // namespace certrebind
