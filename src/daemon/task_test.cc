#include "daemon/task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certrebind {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr const char* kFile = "/etc/certrebind/tasks.d/deploy.toml";

void expect_refused(const std::string& text, int line, const std::string& why) {
  auto task = parse_task(kFile, text);
  ASSERT_FALSE(task) << text;
  EXPECT_EQ(task.error().code, Code::usage) << text;
  EXPECT_EQ(task.error().subject, std::string(kFile) + ":" + std::to_string(line)) << text;
  EXPECT_THAT(task.error().cause, HasSubstr(why)) << text;
}

TEST(TaskFile, TheLeast) {
  auto task = parse_task(kFile, "events = [1001]\ncommand = ['/bin/true']\n");
  ASSERT_TRUE(task) << task.error().message();
  EXPECT_EQ(task->name, "deploy");
  EXPECT_TRUE(task->enabled);
  EXPECT_THAT(task->events, ElementsAre(1001));
  EXPECT_THAT(task->command, ElementsAre("/bin/true"));
  EXPECT_EQ(task->time_limit, 1h);
  EXPECT_EQ(task->retries, 3);
  EXPECT_EQ(task->retry_after, 10min);
  EXPECT_FALSE(task->once_per_batch);
  EXPECT_FALSE(task->has_timer());
}

constexpr const char* kWhole = R"toml(
name = "deploy-hook"
description = "copies to the \"edge\""
enabled = false
events = [1001, 2003]
names = ["*.example.com", "example.com"]
store = "/etc/letsencrypt/"
issuer = "let's encrypt"
service = "nginx:/etc/nginx/nginx.conf"
every = "12h"
window = "02:00-04:00"
command = ["/usr/local/sbin/deploy", "$(OldCertHash)", "x$(NewCertHash)y\n"]
time_limit = "90s"
retries = 0
retry_after = "1m"
once_per_batch = true
[environment]
B = "two words"
A = "$(TaskName)"
)toml";

TEST(TaskFile, AllOfIt) {
  auto task = parse_task(kFile, kWhole);
  ASSERT_TRUE(task) << task.error().message();
  EXPECT_EQ(task->name, "deploy-hook");
  EXPECT_EQ(task->description, "copies to the \"edge\"");
  EXPECT_FALSE(task->enabled);
  EXPECT_THAT(task->events, ElementsAre(1001, 2003));
  EXPECT_THAT(task->filter.names, ElementsAre("*.example.com", "example.com"));
  EXPECT_EQ(task->filter.store, "/etc/letsencrypt");
  EXPECT_EQ(task->filter.issuer, "let's encrypt");
  EXPECT_EQ(task->filter.service, "nginx:/etc/nginx/nginx.conf");
  EXPECT_EQ(task->every, 12h);
  EXPECT_EQ(task->window, (Window{120, 240}));
  EXPECT_EQ(task->command.back(), "x$(NewCertHash)y\n");
  EXPECT_EQ(task->time_limit, 90s);
  EXPECT_EQ(task->retries, 0);
  EXPECT_EQ(task->retry_after, 1min);
  EXPECT_TRUE(task->once_per_batch);
  EXPECT_THAT(task->environment, ElementsAre(Pair("A", "$(TaskName)"), Pair("B", "two words")));
}

TEST(TaskFile, WhatIsWrittenIsReadBack) {
  auto task = parse_task(kFile, kWhole);
  ASSERT_TRUE(task);
  task->command.push_back("\x01 \x7f \\ \" ' \xc3\xa4 \t");
  auto again = parse_task("/x/other.toml", to_toml(*task));
  ASSERT_TRUE(again) << again.error().message() << "\n" << to_toml(*task);
  EXPECT_EQ(*again, *task);
}

TEST(TaskFile, NothingCanBeSmuggledIntoIt) {
  auto task = parse_task(kFile, kWhole);
  ASSERT_TRUE(task);
  task->environment = {{"A = 'x'\nB", "y"}};
  auto again = parse_task(kFile, to_toml(*task));
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().cause, HasSubstr("cannot be an environment variable"));
}

TEST(TaskFile, ATimerIsATriggerToo) {
  auto task = parse_task(kFile, "daily_at = '03:30'\ncommand = ['/bin/true']\n");
  ASSERT_TRUE(task);
  EXPECT_EQ(task->daily_at, 210);
  EXPECT_TRUE(task->has_timer());
}

TEST(TaskFile, MistakesAreNamedWithTheirLine) {
  const std::string good = "events = [1001]\ncommand = ['/bin/true']\n";
  expect_refused(good + "event = 1\n", 3, "unknown setting 'event'");
  expect_refused(good + "name = 'a b'\n", 3, "'a b' cannot be a task's name");
  expect_refused(good + "name = '../../x'\n", 3, "cannot be a task's name");
  expect_refused(good + "name = 5\n", 3, "'name' must be text");
  expect_refused(good + "enabled = 'no'\n", 3, "must be true or false");
  expect_refused(good + "names = '*.a'\n", 3, "must be a list of texts");
  expect_refused(good + "names = [5]\n", 3, "must be a list of texts");
  expect_refused(good + "store = 'here'\n", 3, "absolute");
  expect_refused(good + "every = '12'\n", 3, "must be like \"12h\"");
  expect_refused(good + "every = 12\n", 3, "'every' must be text");
  expect_refused(good + "every = '1h'\ndaily_at = '03:30'\n", 4, "not both");
  expect_refused(good + "window = '2-4'\n", 3, "must be like");
  expect_refused(good + "retries = -1\n", 3, "from 0 to 1000");
  expect_refused(good + "environment = 1\n", 3, "must be a table");
  expect_refused(good + "[environment]\n'A B' = 'x'\n", 4, "cannot be an environment variable");
  expect_refused(good + "[environment]\nA = 1\n", 4, "'A' must be text");
  expect_refused("events = 1001\ncommand = ['/bin/true']\n", 1, "must be a list of events");
  expect_refused("events = [\n1001,\n7]\ncommand = ['/bin/true']\n", 3, "'7' is no event");
  expect_refused("events = [1001]\n\ncommand = []\n", 3, "'command' must be given");
  expect_refused("events = [1001]\ncommand = '/bin/true'\n", 2, "must be a list of texts");
  expect_refused("events = [1001]\ncommand = [\"a\\u0000b\"]\n", 2, "NUL");
  expect_refused("events = [1001]\n\ncommand = = 1\n", 3, "");
}

TEST(TaskFile, WhatWouldNeverRunIsRefused) {
  expect_refused("command = ['/bin/true']\n", 1, "no trigger");
  expect_refused("events = [1001]\n", 1, "'command' must be given");
}

TEST(TaskFile, UnknownVariablesAreRefused) {
  const std::string events = "events = [1001]\n";
  expect_refused(events + "command = ['/bin/sh', '-c', 'x=$(date)']\n", 2,
                 "$(date) is no variable");
  expect_refused(events + "command = ['/bin/echo', '$(oldcerthash)']\n", 2, "is no variable");
  expect_refused(events + "command = ['/bin/echo', '$(OldCertHash']\n", 2, "is no variable");
  expect_refused(events + "command = ['/bin/true']\n[environment]\nA = '$(B)'\n", 4,
                 "$(B) is no variable");
  EXPECT_TRUE(parse_task(kFile, events + "command = ['/bin/echo', '$', '$x', '${y}', '()']\n"));
}

TEST(TaskName, IsAFileNameToo) {
  EXPECT_TRUE(is_task_name("deploy_1.a-B"));
  EXPECT_TRUE(is_task_name(std::string(64, 'a')));
  for (const std::string& name : {std::string(), std::string(65, 'a'), std::string(".hidden"),
                                  std::string("a/b"), std::string("a b"), std::string("\xc3\xa4")})
    EXPECT_FALSE(is_task_name(name)) << name;
}

}  // namespace
}  // namespace certrebind
