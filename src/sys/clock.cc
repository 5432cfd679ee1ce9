#include "sys/clock.h"

#include <thread>

namespace certrebind {

WallTime SystemClock::wall() const {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const {
  return std::chrono::steady_clock::now();
}

void SystemClock::sleep(milliseconds duration) {
  std::this_thread::sleep_for(duration);
}

}  // namespace certrebind
