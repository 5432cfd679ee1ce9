#include "daemon/watched_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sys/memory_files.h"

namespace certrebind {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(WatchedFiles, AFileIsReachedByItsEntry) {
  MemoryFiles files;
  files.put("/etc/tls/a.pem", "x");
  EXPECT_THAT(entries_of(files, "/etc/tls/a.pem"), ElementsAre(Pair("/etc/tls", "a.pem")));
}

TEST(WatchedFiles, EveryLinkOnTheWayIsAnEntry) {
  MemoryFiles files;
  files.put("/le/archive/a/fullchain1.pem", "x");
  files.put_link("/le/live/a/fullchain.pem", "../../archive/a/fullchain1.pem");
  files.put_link("/etc/le", "/le/live");
  EXPECT_THAT(entries_of(files, "/etc/le/a/fullchain.pem"),
              ElementsAre(Pair("/etc", "le"), Pair("/le/live/a", "fullchain.pem"),
                          Pair("/le/archive/a", "fullchain1.pem")));
}

TEST(WatchedFiles, WhatIsMissingIsWatchedForWhereItWouldAppear) {
  MemoryFiles files;
  files.put("/etc/here", "x");
  EXPECT_THAT(entries_of(files, "/etc/tls/deep/a.pem"), ElementsAre(Pair("/etc", "tls")));
}

TEST(WatchedFiles, ALinkThatLeadsInACircleEnds) {
  MemoryFiles files;
  files.put_link("/etc/a", "b");
  files.put_link("/etc/b", "a");
  EXPECT_LE(entries_of(files, "/etc/a").size(), 100u);
}

}  // namespace
}  // namespace certrebind
