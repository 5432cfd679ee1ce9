#include "rebind/reloader.h"

#include <gtest/gtest.h>

#include "rebind/testing.h"

namespace certrebind {
namespace {

class ReloaderTest : public ::testing::Test {
 protected:
  ReloaderTest() { host_.service.how.signal->workers = "worker process"; }
  void add_worker(int pid, uint64_t started, const std::string& called) {
    Process worker;
    worker.pid = pid;
    worker.parent = 100;
    worker.started = started;
    worker.arguments = {called};
    host_.processes.processes.push_back(worker);
  }
  void remove(int pid) {
    std::erase_if(host_.processes.processes, [&](const Process& p) { return p.pid == pid; });
  }

  FakeHost host_;
  Reloader reloader_{&host_.service, host_.processes};
};

TEST_F(ReloaderTest, KnowsTheMasterByPidAndStart) {
  EXPECT_TRUE(reloader_.is_running());
  EXPECT_FALSE(reloader_.master_is_gone());
  host_.processes.processes[0].started = 8;
  EXPECT_TRUE(reloader_.master_is_gone());
  EXPECT_FALSE(reloader_.reload());
  EXPECT_TRUE(host_.processes.signals.empty());
}

TEST_F(ReloaderTest, OldWorkersRemainUntilTheyAreGone) {
  add_worker(101, 8, "worker process");
  add_worker(102, 8, "cache manager process");
  EXPECT_FALSE(reloader_.old_workers_remain()) << "nothing was told to go";
  ASSERT_TRUE(reloader_.reload());
  add_worker(103, 9, "worker process");
  EXPECT_TRUE(reloader_.old_workers_remain());
  remove(101);
  EXPECT_FALSE(reloader_.old_workers_remain());
}

TEST_F(ReloaderTest, AWorkerThatOnlyFinishesTakesNoMoreConnections) {
  add_worker(101, 8, "worker process");
  ASSERT_TRUE(reloader_.reload());
  host_.processes.processes[1].arguments = {"worker process is shutting down"};
  EXPECT_FALSE(reloader_.old_workers_remain());
}

TEST_F(ReloaderTest, ANewWorkerWithAnOldPidIsNew) {
  add_worker(101, 8, "worker process");
  ASSERT_TRUE(reloader_.reload());
  host_.processes.processes[1].started = 9;
  EXPECT_FALSE(reloader_.old_workers_remain());
}

// Children that are all called alike: those that have let go of the master's listeners only finish.
TEST_F(ReloaderTest, WorkersMayBeKnownByTheListenersThatTheyHold) {
  host_.service.how.signal->workers.clear();
  host_.service.how.signal->workers_hold_listeners = true;
  host_.processes.held = {{100, {1, 2}}, {101, {1, 2, 9}}, {102, {1, 3}}};
  host_.processes.listening = {1, 3};
  add_worker(101, 8, "server");
  add_worker(102, 8, "server");
  add_worker(103, 8, "logger");
  ASSERT_TRUE(reloader_.reload());
  add_worker(104, 9, "server");
  host_.processes.held[104] = {1};
  EXPECT_TRUE(reloader_.old_workers_remain());
  host_.processes.held[101] = {2, 9};
  EXPECT_TRUE(reloader_.old_workers_remain());
  host_.processes.held[102] = {3};
  EXPECT_FALSE(reloader_.old_workers_remain()) << "a listener of its own is not the master's";
}

TEST_F(ReloaderTest, WithoutAServiceNothingRuns) {
  Reloader none(nullptr, host_.processes);
  EXPECT_FALSE(none.is_running());
  EXPECT_TRUE(none.master_is_gone());
  EXPECT_FALSE(none.reload());
}

// The master took the signal and went on with its old workers: their answers are no proof.
TEST_F(ReloaderTest, ProofWaitsForTheOldWorkers) {
  add_worker(101, 8, "worker process");
  auto account = carry_out(host_.bench(), host_.work());
  ASSERT_TRUE(account);
  EXPECT_NE(account->outcome, Outcome::committed);
  EXPECT_EQ(host_.on_disk(), "old");
}

}  // namespace
}  // namespace certrebind
