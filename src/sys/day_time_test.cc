#include "sys/day_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace certrebind {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

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
  for (const char* text : {"", "02:00", "02:00-02:00", "02:00-04:00-05:00", "2-4", "Sat",
                           "Sat 02:00", "02:00-04:00 Sat", "Sat 02:00-04:00 UTC more", "Sat,",
                           "Sat,,Sun 02:00-04:00", "Sat-Sun-Mon 02:00-04:00"})
    EXPECT_FALSE(parse_window(text)) << text;
}

TEST(TaskWindow, HasDaysAndAZone) {
  auto window = parse_window("Sat,Sun 02:00-04:00 Europe/Berlin");
  ASSERT_TRUE(window);
  EXPECT_EQ(*window, (Window{120, 240, 0x60, "Europe/Berlin"}));
  EXPECT_EQ(window->text(), "Sat,Sun 02:00-04:00 Europe/Berlin");
  EXPECT_EQ(parse_window("Mon-Fri 02:00-04:00")->days, 0x1f);
  EXPECT_EQ(parse_window("Sat-Mon 02:00-04:00")->days, 0x61);
  EXPECT_EQ(parse_window("02:00-04:00 UTC")->text(), "02:00-04:00 UTC");
}

TEST(TaskWindow, SaysWhatIsWrong) {
  EXPECT_THAT(parse_window("Sut 02:00-04:00").error().cause, HasSubstr("'Sut' is no day"));
  EXPECT_THAT(parse_window("02:00-04:00 Europe/Berln").error().cause,
              HasSubstr("no time zone 'Europe/Berln'"));
  for (const char* zone :
       {"../../etc/passwd", "/etc/localtime", "Europe", "posixrules;id", "tzdata.zi"})
    EXPECT_FALSE(parse_window(std::string("02:00-04:00 ") + zone)) << zone;
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

// Seconds since the epoch of a time in UTC.
WallTime utc(int month, unsigned day, milliseconds of_day) {
  return WallTime(std::chrono::sys_days(std::chrono::year(2026) / month / day)) + of_day;
}

TEST(TaskWindowDays, AreThoseOnWhichItOpens) {
  const Window weekend = *parse_window("Sat,Sun 22:00-02:00 UTC");
  EXPECT_TRUE(is_open(weekend, utc(1, 10, 23h)));  // a Saturday
  EXPECT_TRUE(is_open(weekend, utc(1, 12, 1h)));   // Monday, of Sunday's
  EXPECT_FALSE(is_open(weekend, utc(1, 10, 1h)));  // Saturday, of Friday's
  EXPECT_FALSE(is_open(weekend, utc(1, 12, 23h)));
  EXPECT_EQ(opens_at(weekend, utc(1, 12, 2h)), utc(1, 17, 22h));
  EXPECT_EQ(next_opening(weekend, utc(1, 10, 23h)), utc(1, 11, 22h));
}

TEST(TaskWindowZone, FollowsItsDaylightSavingTime) {
  const Window berlin = *parse_window("02:30-03:30 Europe/Berlin");
  EXPECT_EQ(opens_at(berlin, utc(1, 10, 0h)), utc(1, 10, 1h + 30min));  // CET
  EXPECT_EQ(opens_at(berlin, utc(7, 10, 0h)), utc(7, 10, 30min));       // CEST
  // 02:00 to 03:00 is skipped on 29 March: the window begins when the clocks show 03:00.
  EXPECT_EQ(opens_at(berlin, utc(3, 29, 0h)), utc(3, 29, 1h));
  // On 25 October 02:30 occurs twice.
  EXPECT_EQ(opens_at(berlin, utc(10, 25, 0h)), utc(10, 25, 30min));
  EXPECT_FALSE(is_open(berlin, utc(10, 25, 1h + 10min)));
  EXPECT_EQ(next_opening(berlin, utc(10, 25, 40min)), utc(10, 25, 1h + 30min));
}

TEST(TaskWindowZone, WhatIsSkippedWaitsForTheNextDay) {
  const Window skipped = *parse_window("Sun 02:15-02:45 Europe/Berlin");
  EXPECT_EQ(opens_at(skipped, utc(3, 23, 0h)), utc(4, 5, 15min));
}

TEST_F(TaskWindowTest, AnotherZoneDoesNotChangeOurs) {
  (void)is_open(*parse_window("02:00-04:00 America/New_York"), at(2h));
  EXPECT_TRUE(is_open(Window{120, 240}, at(2h)));
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
