#include "sys/local_time.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace certrebind {
namespace {

using namespace std::chrono_literals;

class LocalTimeTest : public ::testing::Test {
 protected:
  // Central European Time as a POSIX TZ rule, which needs no installed time zones.
  LocalTimeTest() { ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1); }
  ~LocalTimeTest() override { ::unsetenv("TZ"); }
};

WallTime utc(int year, unsigned month, unsigned day, milliseconds of_day) {
  return WallTime(std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) /
                                        std::chrono::day(day))) +
         of_day;
}

TEST_F(LocalTimeTest, SummerAndWinter) {
  EXPECT_EQ(local_of(utc(2026, 7, 1, 12h + 30min)).minute, 14 * 60 + 30);
  EXPECT_EQ(local_of(utc(2026, 1, 1, 12h)).minute, 13 * 60);
  LocalTime next_day = local_of(utc(2026, 12, 31, 23h));
  EXPECT_EQ(next_day.year, 2027);
  EXPECT_EQ(next_day.day, 1);
}

TEST_F(LocalTimeTest, BackAgain) {
  for (WallTime time : {utc(2026, 7, 1, 1h + 30min), utc(2026, 1, 1, 0h), utc(2026, 12, 31, 23h)})
    EXPECT_EQ(wall_of(local_of(time)), time);
}

TEST_F(LocalTimeTest, DaysBeyondTheMonth) {
  EXPECT_EQ(wall_of({.year = 2026, .month = 3, .day = 0, .minute = 0}), utc(2026, 2, 27, 23h));
  EXPECT_EQ(wall_of({.year = 2026, .month = 1, .day = 32, .minute = 0}), utc(2026, 1, 31, 23h));
}

// mktime depends on its earlier calls, so the result must not.
TEST_F(LocalTimeTest, ATimeThatIsLeftOutComesLater) {
  for (WallTime before : {utc(2026, 1, 1, 0h), utc(2026, 7, 1, 0h)}) {
    wall_of(local_of(before));
    EXPECT_EQ(wall_of({.year = 2026, .month = 3, .day = 29, .minute = 2 * 60 + 30}),
              utc(2026, 3, 29, 1h + 30min));
  }
}

TEST_F(LocalTimeTest, OfATimeThatComesTwiceItIsTheFirst) {
  for (WallTime before : {utc(2026, 1, 1, 0h), utc(2026, 7, 1, 0h)}) {
    wall_of(local_of(before));
    EXPECT_EQ(wall_of({.year = 2026, .month = 10, .day = 25, .minute = 2 * 60 + 30}),
              utc(2026, 10, 25, 30min));
  }
}

}  // namespace
}  // namespace certrebind
