// Tests real rehearsals, as root. If this system does not allow the isolation, they report so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sys/processes.h"

namespace certrebind {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class RehearsalTest : public ::testing::Test {
 protected:
  RehearsalTest() {
    std::string name = "/tmp/certrebind-test-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    write("log", "before\n");
  }
  ~RehearsalTest() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ + "/" + name) << text;
  }
  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(directory_ + "/" + name).rdbuf();
    return text.str();
  }
  bool is_there(const std::string& name) const {
    return std::filesystem::exists(directory_ + "/" + name);
  }

  // A "server" as a shell script; $1 is the scratch directory and $2 the test's directory.
  Result<RehearsalOutput> rehearse(const std::string& script, milliseconds deadline = 20s,
                                   milliseconds settle = 50ms) {
    Rehearsal rehearsal;
    rehearsal.command.arguments = {"/bin/sh", "-c", script, "server", kScratch, directory_};
    rehearsal.command.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    rehearsal.ready = "pid";
    rehearsal.settle = settle;
    rehearsal.forgotten = {directory_};
    rehearsal.masked = {directory_ + "/log"};
    running_ = SystemCommands().rehearse(rehearsal, deadline);
    auto output = running_.outcome.get();
    if (output && !output->impossible.empty() && ::geteuid() != 0) can_ = false;
    return output;
  }

  std::string directory_;
  RunningRehearsal running_;
  bool can_ = true;
};

TEST_F(RehearsalTest, ComesUpAndIsEnded) {
  auto output = rehearse("echo $$ > $1/pid; exec sleep 1000");
  ASSERT_TRUE(output);
  if (!can_) GTEST_SKIP() << output->impossible;
  EXPECT_EQ(output->impossible, "");
  EXPECT_TRUE(output->came_up);
}

TEST_F(RehearsalTest, WhatEndsDoesNotComeUpAndSaysWhy) {
  auto output = rehearse("echo out; echo logged >> $2/log; echo main >> $1/said; exit 3");
  ASSERT_TRUE(output);
  if (!can_) GTEST_SKIP() << output->impossible;
  EXPECT_FALSE(output->came_up);
  EXPECT_EQ(output->of.status, 3);
  EXPECT_EQ(output->of.output, "out\nlogged\nmain\n");
}

TEST_F(RehearsalTest, WhatEndsRightAfterItIsReadyDidNotComeUp) {
  auto output = rehearse("echo $$ > $1/pid; exit 1", 20s, 19s);
  ASSERT_TRUE(output);
  if (!can_) GTEST_SKIP() << output->impossible;
  EXPECT_FALSE(output->came_up);
}

TEST_F(RehearsalTest, WhatTakesTooLongDidNotComeUp) {
  auto output = rehearse("exec sleep 1000", 100ms);
  ASSERT_TRUE(output);
  if (!can_) GTEST_SKIP() << output->impossible;
  EXPECT_FALSE(output->came_up);
  EXPECT_TRUE(output->of.timed_out);
}

TEST_F(RehearsalTest, NothingOfItReachesTheFiles) {
  auto output = rehearse(
      "echo x >> $2/log; echo x > $2/new; rm $2/old 2>/dev/null; mkdir $2/made;"
      "echo $$ > $1/pid; exec sleep 1000");
  ASSERT_TRUE(output);
  if (!can_) GTEST_SKIP() << output->impossible;
  EXPECT_TRUE(output->came_up);
  EXPECT_EQ(read("log"), "before\n");
  EXPECT_FALSE(is_there("new"));
  EXPECT_FALSE(is_there("made"));
}

// The server ignores termination signals, and so do two background processes and one in its own
// session.
TEST_F(RehearsalTest, NoProcessOfItIsLeft) {
  std::string mark = "certrebind-left-" + std::to_string(::getpid());
  auto output = rehearse("trap '' TERM; (exec -a x sh -c 'trap \"\" TERM; sleep 1000; : " + mark +
                         "') & setsid sh -c 'trap \"\" TERM; sleep 1000; : " + mark +
                         "' & echo $$ > $1/pid; while :; do sleep 1000; done");
  ASSERT_TRUE(output);
  if (!can_) GTEST_SKIP() << output->impossible;
  EXPECT_TRUE(output->came_up);
  running_.minder.join();
  auto shells = SystemProcessTable().named("sh");
  ASSERT_TRUE(shells);
  for (const Process& shell : *shells)
    for (const std::string& argument : shell.arguments)
      EXPECT_THAT(argument, ::testing::Not(HasSubstr(mark)));
}

TEST_F(RehearsalTest, SeesNoProcessAndNoNetworkOfOurs) {
  auto output =
      rehearse("[ -d /proc/" + std::to_string(::getpid()) +
               " ] && [ $(ls /proc | grep -c '^[0-9]') -gt 10 ] && exit 4;"
               "tail -n +3 /proc/net/dev; cat /proc/sys/net/ipv4/ip_nonlocal_bind; exit 5");
  ASSERT_TRUE(output);
  if (!can_) GTEST_SKIP() << output->impossible;
  EXPECT_EQ(output->of.status, 5);
  EXPECT_THAT(output->of.output, HasSubstr("lo:"));
  EXPECT_THAT(output->of.output, ::testing::Not(HasSubstr("eth")));
  EXPECT_TRUE(output->of.output.ends_with("1\n"));
}

}  // namespace
}  // namespace certrebind
