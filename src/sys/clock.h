// Time behind an interface, so that tests control it.
#pragma once

#include "base/time.h"

namespace certrebind {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const = 0;
  virtual SteadyTime steady() const = 0;
  virtual void sleep(milliseconds duration) = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime wall() const override;
  SteadyTime steady() const override;
  void sleep(milliseconds duration) override;
};

// Stands still until a test advances it. Sleeping advances it too.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime wall) : wall_(wall) {}
  WallTime wall() const override { return wall_; }
  SteadyTime steady() const override { return steady_; }
  void sleep(milliseconds duration) override {
    wall_ += duration;
    steady_ += duration;
  }

 private:
  WallTime wall_;
  SteadyTime steady_{};
};

}  // namespace certrebind
