// The scheduled jobs of this host: systemd timers and cron. Reads their files only, and never asks
// running programs.
#pragma once

#include <string>
#include <vector>

#include "sys/files.h"

namespace certrebind {

// One timer, crontab line, or script of cron.daily and similar directories.
struct Job {
  std::string by;      // "certbot.timer", "/etc/cron.d/certbot:22", "/etc/cron.weekly/lego"
  std::string asleep;  // why the job does not run on this host now; empty: it runs
  std::vector<std::vector<std::string>>
      lines;  // the words of each command, including those in the scripts that it starts
  // A command that runs the job once, now. Empty if only the scheduler can run it (another user's
  // crontab).
  std::vector<std::string> command;
};

// In the order timers, crontabs, script directories. Follows systemd.timer(5), crontab(5) and
// run-parts(8).
std::vector<Job> regular_jobs(const Files& files);

// The commands of a job that start one of `programs`. A path that merely contains such a name (a
// directory, say) does not count.
std::vector<std::vector<std::string>> lines_that_run(const Files& files, const Job& job,
                                                     const std::vector<std::string>& programs);

}  // namespace certrebind
