#include "daemon/task_timer.h"

namespace certrebind {

namespace {

// A daily run is not repeated if the clock is set back by less than this.
constexpr auto kAdjustment = std::chrono::hours(1);

// Machines that were started together would otherwise run their tasks at the same time for ever. So
// each run delays the next by up to a twentieth more, depending on its own time of day.
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
