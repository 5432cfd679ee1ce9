#include "transaction/error_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sys/memory_files.h"

namespace certrebind {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kLog = "/log/error.log";

TEST(ErrorLog, TellsWhatIsSeriousAndNew) {
  MemoryFiles files;
  files.put(kLog, "[emerg] before\n");
  ErrorLog log(files, {kLog, "/log/none"});
  log.begin();
  EXPECT_THAT(log.said(), IsEmpty());
  const std::string more =
      "[emerg] before\n"
      "[notice] signal received\n"
      "[emerg] 1#1: open() failed (24: Too many open files)\n"
      "[emerg] 1#1: open() failed (24: Too many open files)\n"
      "[Sun Nov 29] [ssl:emerg] [pid 1] AH02572: no certificate\n"
      "2026/11/29 [error] 1#1: a client asked for [emerg] x\n";
  files.overwrite(kLog, more);
  EXPECT_THAT(log.said(), ElementsAre("[emerg] 1#1: open() failed (24: Too many open files)",
                                      "[Sun Nov 29] [ssl:emerg] [pid 1] AH02572: no certificate"));
}

TEST(ErrorLog, ReadsARotatedLogFromItsBegin) {
  MemoryFiles files;
  files.put(kLog, "a long old log\n");
  ErrorLog log(files, {kLog});
  log.begin();
  files.put(kLog, "[alert] x\n");
  EXPECT_THAT(log.said(), ElementsAre("[alert] x"));
}

}  // namespace
}  // namespace certrebind
