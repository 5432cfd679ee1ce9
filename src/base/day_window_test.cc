#include "base/day_window.h"

#include <gtest/gtest.h>

namespace certrebind {
namespace {

TEST(DayWindow, IsOpenBetweenItsTimes) {
  auto window = parse_day_window("02:00-04:30");
  ASSERT_TRUE(window);
  EXPECT_FALSE(is_open(*window, 119));
  EXPECT_TRUE(is_open(*window, 120));
  EXPECT_TRUE(is_open(*window, 269));
  EXPECT_FALSE(is_open(*window, 270));
}

TEST(DayWindow, PassesMidnight) {
  auto window = parse_day_window("22:00-01:00");
  ASSERT_TRUE(window);
  EXPECT_TRUE(is_open(*window, 23 * 60));
  EXPECT_TRUE(is_open(*window, 30));
  EXPECT_FALSE(is_open(*window, 60));
  EXPECT_FALSE(is_open(*window, 12 * 60));
}

TEST(DayWindow, TakesTwoTimesOfDayOnly) {
  for (const char* text : {"", "02:00", "2:00-4:00", "24:00-01:00", "02:60-04:00", "02:00-02:00",
                           "02:00-04:00 ", "aa:bb-cc:dd", "-1:00-04:00"})
    EXPECT_FALSE(parse_day_window(text)) << text;
}

}  // namespace
}  // namespace certrebind
