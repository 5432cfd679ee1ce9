// What this host runs regularly: systemd timers and cron. Read from their files, never asked of
// running programs.
#pragma once

#include <string>
#include <vector>

#include "sys/files.h"

namespace certrebind {

// One timer, crontab line or script of cron.daily and its like.
struct Job {
  std::string by;      // "certbot.timer", "/etc/cron.d/certbot:22", "/etc/cron.weekly/lego"
  std::string asleep;  // why it does nothing on this host as it is; empty: it runs
  std::vector<std::vector<std::string>> lines;  // the words of each command, those of the scripts
                                                // that it starts included
  // What runs the same once, now; empty where only the scheduler could (another user's crontab).
  std::vector<std::string> command;
};

// In the order timers, crontabs, directories of scripts. Follows systemd.timer(5), crontab(5) and
// run-parts(8).
std::vector<Job> regular_jobs(const Files& files);

// The commands of a job that start one of `programs`. A path that merely contains such a name (a
// directory, say) is no start of it.
std::vector<std::vector<std::string>> lines_that_run(const Files& files, const Job& job,
                                                     const std::vector<std::string>& programs);

}  // namespace certrebind
