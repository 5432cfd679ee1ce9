#include "store/schedules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sys/memory_files.h"

namespace certrebind {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SchedulesTest : public ::testing::Test {
 protected:
  // "by" or "by: asleep" for the jobs that run the program.
  std::vector<std::string> jobs_of(const std::string& program) {
    std::vector<std::string> found;
    for (const Job& job : regular_jobs(files_))
      if (!lines_that_run(files_, job, {program}).empty())
        found.push_back(job.by + (job.asleep.empty() ? "" : ": " + job.asleep));
    return found;
  }
  void put_timer(const std::string& name, const std::string& exec) {
    files_.put("/lib/systemd/system/" + name + ".timer", "[Timer]\nOnCalendar=daily\n");
    files_.put("/lib/systemd/system/" + name + ".service", "[Service]\nExecStart=" + exec + "\n");
  }
  void enable(const std::string& name) {
    files_.put_link("/etc/systemd/system/timers.target.wants/" + name + ".timer",
                    "/lib/systemd/system/" + name + ".timer");
  }
  void run_systemd() { files_.put("/run/systemd/system/.keep", ""); }
  void install_cron() { files_.put("/usr/sbin/cron", "", 0755); }

  MemoryFiles files_;
};

TEST_F(SchedulesTest, ATimerCountsWhereItIsEnabledAndSystemdRuns) {
  put_timer("certbot", "/usr/bin/certbot -q renew");
  EXPECT_THAT(jobs_of("certbot"), ElementsAre("certbot.timer: it is not enabled"));
  enable("certbot");
  EXPECT_THAT(jobs_of("certbot"), ElementsAre("certbot.timer: systemd does not run this host"));
  run_systemd();
  EXPECT_THAT(jobs_of("certbot"), ElementsAre("certbot.timer"));
  EXPECT_THAT(regular_jobs(files_)[0].command,
              ElementsAre("/usr/bin/systemctl", "start", "certbot.service"));
}

TEST_F(SchedulesTest, ATimerMayNameAnotherUnitAndMayBeMasked) {
  run_systemd();
  files_.put("/etc/systemd/system/renew.timer", "[Timer]\nUnit=work.service\n");
  files_.put("/etc/systemd/system/work.service",
             "[Service]\nExecStart=-/usr/bin/nice \\\n  lego renew\n");
  files_.put_link("/etc/systemd/system/timers.target.wants/renew.timer", "../renew.timer");
  EXPECT_THAT(jobs_of("lego"), ElementsAre("renew.timer"));
  files_.put_link("/etc/systemd/system/work.service", "/dev/null");
  EXPECT_THAT(jobs_of("lego"), IsEmpty());
}

TEST_F(SchedulesTest, DropInsAndTemplates) {
  run_systemd();
  files_.put("/lib/systemd/system/lego@.timer", "[Timer]\nOnCalendar=daily\n");
  files_.put("/lib/systemd/system/lego@.service", "[Service]\nType=oneshot\n");
  files_.put("/etc/systemd/system/lego@.service.d/run.conf",
             "[Service]\nExecStart=/usr/bin/lego -d %i renew\n");
  files_.put_link("/etc/systemd/system/timers.target.wants/lego@a.timer", "x");
  EXPECT_THAT(jobs_of("lego"), ElementsAre("lego@.timer"));
  EXPECT_THAT(regular_jobs(files_)[0].command, IsEmpty()) << "which instance?";
}

// The line of Debian's package certbot 2.1.0-4.
constexpr const char* kDebianCertbot =
    "# comment\nSHELL=/bin/sh\nPATH=/usr/sbin:/usr/bin\n\n"
    "0 */12 * * * root test -x /usr/bin/certbot -a \\! -d /run/systemd/system && perl -e 'sleep "
    "int(rand(43200))' && certbot -q renew --no-random-sleep-on-renew\n";

TEST_F(SchedulesTest, DebiansCronLineYieldsToItsTimer) {
  files_.put("/etc/cron.d/certbot", kDebianCertbot);
  EXPECT_THAT(jobs_of("certbot"), ElementsAre("/etc/cron.d/certbot:5: no cron is installed"));
  install_cron();
  EXPECT_THAT(jobs_of("certbot"), ElementsAre("/etc/cron.d/certbot:5"));
  run_systemd();
  EXPECT_THAT(jobs_of("certbot"),
              ElementsAre("/etc/cron.d/certbot:5: it leaves the work to systemd"));
}

TEST_F(SchedulesTest, CrontabsOfUsers) {
  install_cron();
  files_.put("/var/spool/cron/crontabs/root",
             "MAILTO=a@example.test\n26 0 * * * \"/root/.acme.sh\"/acme.sh --cron --home "
             "\"/root/.acme.sh\" > /dev/null\n@daily /usr/bin/lego renew\n");
  files_.put("/var/spool/cron/crontabs/web", "@daily lego renew\n");
  EXPECT_THAT(jobs_of("acme.sh"), ElementsAre("/var/spool/cron/crontabs/root:2"));
  EXPECT_THAT(jobs_of("lego"),
              ElementsAre("/var/spool/cron/crontabs/root:3", "/var/spool/cron/crontabs/web:1"));
  std::vector<Job> jobs = regular_jobs(files_);
  EXPECT_THAT(jobs[1].command, ElementsAre("/usr/bin/env", "/bin/sh", "-c", "/usr/bin/lego renew"));
  EXPECT_THAT(jobs[2].command, IsEmpty()) << "not root's";
}

TEST_F(SchedulesTest, ACrontabThatSetsSecretsIsNotRepeated) {
  install_cron();
  files_.put("/etc/cron.d/lego",
             "PATH=/usr/bin\n1 2 * * * root lego renew\nTOKEN=t\n"
             "1 2 * * * root lego renew\n1 2 * * * root date +%s; lego\n");
  std::vector<Job> jobs = regular_jobs(files_);
  ASSERT_EQ(jobs.size(), 3u);
  EXPECT_THAT(jobs[0].command,
              ElementsAre("/usr/bin/env", "PATH=/usr/bin", "/bin/sh", "-c", "lego renew"));
  EXPECT_THAT(jobs[1].command, IsEmpty());
  EXPECT_THAT(jobs[2].command, IsEmpty()) << "cron gives % a meaning";
}

TEST_F(SchedulesTest, ScriptsOfCronDaily) {
  install_cron();
  files_.put("/etc/cron.daily/renew", "#!/bin/sh\n# lego\n/usr/bin/dehydrated -c\n", 0755);
  files_.put("/etc/cron.daily/renew.dpkg-old", "#!/bin/sh\nuacme issue a.test\n", 0755);
  files_.put("/etc/cron.daily/off", "#!/bin/sh\nuacme issue a.test\n", 0644);
  EXPECT_THAT(jobs_of("dehydrated"), ElementsAre("/etc/cron.daily/renew"));
  EXPECT_THAT(jobs_of("uacme"), IsEmpty()) << "run-parts passes over both";
  EXPECT_THAT(jobs_of("lego"), IsEmpty()) << "a comment";
}

TEST_F(SchedulesTest, OneLevelOfScriptsIsReadAndADirectoryIsNoProgram) {
  install_cron();
  files_.put("/usr/local/bin/renew-all", "#!/bin/sh\nfor d in a b; do uacme \\\n issue $d; done\n",
             0755);
  files_.put("/etc/ssl/uacme/a.test/cert.pem", "");
  files_.put("/etc/cron.d/x",
             "1 2 * * * root /usr/local/bin/renew-all\n"
             "1 2 * * * root tar cf - /etc/ssl/uacme\n");
  EXPECT_THAT(jobs_of("uacme"), ElementsAre("/etc/cron.d/x:1"));
}

}  // namespace
}  // namespace certrebind
