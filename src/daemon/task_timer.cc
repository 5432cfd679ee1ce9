#include "daemon/task_timer.h"

namespace certrebind {

namespace {

// A daily run is not made again when the clock is put back by less.
constexpr auto kAdjustment = std::chrono::hours(1);

// Machines that were started together would all look at once, for ever. So each run puts off the
// next by up to a twentieth more, as the time of day at which it came happens to be.
milliseconds jitter_of(milliseconds every, WallTime last) {
  return last.time_since_epoch() % std::max(every / 20, milliseconds(1));
}

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
  if (!task.every) return next_daily(task.daily_at.value_or(0), last);
  return last + *task.every + jitter_of(*task.every, last);
}

}  // namespace certrebind
