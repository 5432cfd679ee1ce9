#include "proof/foreign_listeners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::HasSubstr;
using Waits = SocketHolder::Waits;

// A server with a main process and two workers that share socket 500, at 127.0.0.1:443.
class ForeignListenersTest : public ::testing::Test {
 protected:
  ForeignListenersTest() {
    host_.processes.processes = {process(1, 0, "/usr/lib/systemd/systemd"),
                                 process(100, 1, kServer), process(101, 100, kServer),
                                 process(102, 100, kServer)};
    host_.processes.bound = {{500, kAddress}};
    for (int pid : {100, 101, 102}) host_.processes.held[pid] = {500};
  }

  static Process process(int pid, int parent, const std::string& executable) {
    Process made;
    made.pid = pid;
    made.parent = parent;
    made.executable = executable;
    made.started = 7;
    return made;
  }

  void add(int pid, int parent, const std::string& executable, uint64_t inode, Waits waits) {
    Process made = process(pid, parent, executable);
    host_.processes.processes.push_back(made);
    host_.processes.also_holding.push_back({made, inode, waits});
  }

  std::vector<int> found() {
    std::vector<int> pids;
    for (const ForeignListener& each :
         foreign_listeners(host_.context().host, *reload_of_fake().signal, {kAddress}))
      pids.push_back(each.pid);
    return pids;
  }

  static inline const std::string kServer = "/usr/sbin/fake-server";
  static inline const Address kAddress = {.host = "127.0.0.1", .port = 443, .unix_path = {}};
  FakeHost host_;
};

using Pids = std::vector<int>;

TEST_F(ForeignListenersTest, MasterAndItsChildrenAreItsOwn) {
  EXPECT_EQ(found(), Pids{});
}

TEST_F(ForeignListenersTest, SystemdHandsASocketOverAndTakesNoConnections) {
  host_.processes.also_holding.push_back(
      {process(1, 0, "/usr/lib/systemd/systemd"), 500, Waits::yes});
  EXPECT_EQ(found(), Pids{});
}

TEST_F(ForeignListenersTest, AnOrphanedWorkerIsNot) {
  add(90, 1, kServer, 500, Waits::perhaps);
  EXPECT_EQ(found(), Pids{90});
  auto told = foreign_listeners(host_.context().host, *reload_of_fake().signal, {kAddress});
  EXPECT_THAT(told.front().text(), HasSubstr("process 90 (/usr/sbin/fake-server, since "));
  EXPECT_THAT(told.front().next(), HasSubstr("kill 90"));
}

TEST_F(ForeignListenersTest, AnotherServerWithASocketOfItsOwnThere) {
  host_.processes.bound.push_back({501, kAddress});
  add(90, 1, "/usr/sbin/other", 501, Waits::no);
  EXPECT_EQ(found(), Pids{90}) << "connections are sent there, whether it takes them or not";
}

TEST_F(ForeignListenersTest, WhereTheServerDoesNotListenNothingIsShared) {
  host_.processes.bound = {{501, kAddress}};
  add(90, 1, "/usr/sbin/other", 501, Waits::yes);
  EXPECT_EQ(found(), Pids{});
}

TEST_F(ForeignListenersTest, ASecondMasterBelowTheFirst) {
  add(110, 100, kServer, 500, Waits::no);
  add(111, 110, kServer, 500, Waits::yes);
  EXPECT_EQ(found(), Pids{111});
}

TEST_F(ForeignListenersTest, TheFirstMasterAboveThis) {
  add(90, 1, kServer, 500, Waits::no);
  add(91, 90, kServer, 500, Waits::yes);
  host_.processes.processes[1].parent = 90;
  EXPECT_EQ(found(), Pids{91});
}

TEST_F(ForeignListenersTest, WhoOnlyInheritedTheDescriptor) {
  add(120, 101, "/usr/bin/perl", 500, Waits::yes);  // what a worker runs
  add(121, 1, "/usr/bin/sleep", 500, Waits::no);
  add(122, 1, "/usr/bin/python3", 500, Waits::perhaps);
  EXPECT_EQ(found(), Pids{});
  add(123, 1, "/opt/new/fake-server", 500, Waits::yes);
  EXPECT_EQ(found(), Pids{123});
}

}  // namespace
}  // namespace certrebind
