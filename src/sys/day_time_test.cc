#include "sys/day_time.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace certrebind {
namespace {

using namespace std::chrono_literals;

TEST(TaskDuration, IsReadAndWritten) {
  EXPECT_EQ(parse_duration("90s"), 90s);
  EXPECT_EQ(parse_duration("10m"), 10min);
  EXPECT_EQ(parse_duration("12h"), 12h);
  EXPECT_EQ(parse_duration("1d"), 24h);
  EXPECT_EQ(parse_duration("1d2h3m4s"), 26h + 3min + 4s);
  for (const char* text : {"1h", "1d12h", "2m30s", "45s"})
    EXPECT_EQ(to_text(*parse_duration(text)), text);
  EXPECT_EQ(to_text(*parse_duration("90m")), "1h30m");
}

TEST(TaskDuration, NothingElseIsOne) {
  for (const char* text : {"", "1", "h", "0s", "-1h", "1h ", " 1h", "1x", "30m1h", "1h1h", "1.5h",
                           "99999999999s", "4000d", "1d2147483647h"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(TaskTimeOfDay, IsReadAndWritten) {
  EXPECT_EQ(parse_time_of_day("00:00"), 0);
  EXPECT_EQ(parse_time_of_day("03:30"), 210);
  EXPECT_EQ(parse_time_of_day("23:59"), 1439);
  EXPECT_EQ(time_of_day_text(210), "03:30");
  for (const char* text :
       {"", "3:30", "03:3", "24:00", "03:60", "0330", "-1:30", "03:-1", "+1:30", "03:30 ", "ab:cd"})
    EXPECT_FALSE(parse_time_of_day(text)) << text;
}

TEST(TaskWindow, IsReadAndWritten) {
  EXPECT_EQ(parse_window("02:00-04:00"), (Window{120, 240}));
  EXPECT_EQ(parse_window("22:00-04:00")->text(), "22:00-04:00");
  for (const char* text : {"", "02:00", "02:00-02:00", "02:00-04:00-05:00", "2-4"})
    EXPECT_FALSE(parse_window(text)) << text;
}

class LocalTest : public ::testing::Test {
 protected:
  LocalTest() { ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1); }
  ~LocalTest() override { ::unsetenv("TZ"); }
  // A local time on 2026-01-10.
  static WallTime at(milliseconds of_day) {
    return WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 10)) + of_day - 1h;
  }
};
using TaskWindowTest = LocalTest;
using TaskDailyTest = LocalTest;

TEST_F(TaskWindowTest, OpensAndCloses) {
  Window night{120, 240};
  EXPECT_FALSE(is_open(night, at(1h + 59min)));
  EXPECT_TRUE(is_open(night, at(2h)));
  EXPECT_TRUE(is_open(night, at(3h + 59min)));
  EXPECT_FALSE(is_open(night, at(4h)));
  EXPECT_EQ(opens_at(night, at(1h)), at(2h));
  EXPECT_EQ(opens_at(night, at(3h)), at(3h));
  EXPECT_EQ(opens_at(night, at(5h)), at(26h));
}

TEST_F(TaskWindowTest, GoesOverMidnight) {
  Window night{22 * 60, 240};
  EXPECT_TRUE(is_open(night, at(23h)));
  EXPECT_TRUE(is_open(night, at(1h)));
  EXPECT_FALSE(is_open(night, at(12h)));
  EXPECT_EQ(opens_at(night, at(12h)), at(22h));
}

TEST_F(TaskDailyTest, TheNextOne) {
  EXPECT_EQ(next_daily(210, at(3h)), at(3h + 30min));
  EXPECT_EQ(next_daily(210, at(3h + 30min)), at(27h + 30min));
}

TEST_F(TaskDailyTest, OncePerDayWhenTheClockIsChanged) {
  // 02:30 over the whole year. It is skipped in March and occurs twice in October.
  WallTime time = at(0h);
  for (int day = 0; day < 365; ++day) {
    WallTime next = next_daily(150, time);
    EXPECT_GT(next, time);
    EXPECT_GE(next - time, day == 0 ? 0h : 22h) << to_text(next);
    EXPECT_LE(next - time, 26h) << to_text(next);
    time = next;
  }
  EXPECT_EQ(time, at(364 * 24h + 2h + 30min));
}

}  // namespace
}  // namespace certrebind
