#include "daemon/task_timer.h"

namespace certrebind {

namespace {

// A daily run is not made again when the clock is put back by less.
constexpr auto kAdjustment = std::chrono::hours(1);

}  // namespace

std::string timer_text(const Task& task) {
  if (task.every) return "every " + to_text(*task.every);
  return "daily " + time_of_day_text(task.daily_at.value_or(0));
}

bool is_implausible(const Task& task, WallTime last, WallTime now) {
  return last > (task.every ? now : now + kAdjustment);
}

WallTime strikes_after(const Task& task, WallTime last, WallTime now) {
  if (is_implausible(task, last, now)) last = now;
  return task.every ? last + *task.every : next_daily(task.daily_at.value_or(0), last);
}

}  // namespace certrebind
