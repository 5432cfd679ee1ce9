#include "sys/low_priority.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "base/parallel.h"

namespace certrebind {
namespace {

int priority() {
  return ::getpriority(PRIO_PROCESS, 0);
}

TEST(Behind, OnlyTheWorkIsPutBack) {
  const int before = priority();
  if (before == 19) GTEST_SKIP() << "these tests are as far back as they can be";
  int within = before, in_helpers = 0;
  run_at_low_priority([&] {
    within = priority();
    for_each_index(8, 4, [&](size_t) {
      if (priority() < within) ++in_helpers;
    });
  });
  EXPECT_GT(within, before);
  EXPECT_EQ(in_helpers, 0) << "threads that it starts are like it";
  EXPECT_EQ(priority(), before);
}

}  // namespace
}  // namespace certrebind
