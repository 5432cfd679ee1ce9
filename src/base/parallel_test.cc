#include "base/parallel.h"

#include <gtest/gtest.h>

namespace certrebind {
namespace {

TEST(ForEachIndex, VisitsEachOnce) {
  for (size_t threads : {1, 2, 8}) {
    std::vector<std::atomic<int>> visits(1000);
    for_each_index(visits.size(), threads, [&](size_t index) { ++visits[index]; });
    for (auto& count : visits) EXPECT_EQ(count, 1);
  }
}

TEST(ForEachIndex, NothingIsNothing) {
  for_each_index(0, 4, [](size_t) { FAIL(); });
}

}  // namespace
}  // namespace certrebind
