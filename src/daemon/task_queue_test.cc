// Tests of the task queue: first runs for events with their retries, manual runs, windows and
// history, then runs for timers. The tests set the time themselves, because the queue reads no
// clock.
#include "daemon/task_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Task plain_task(const std::string& name) {
  Task task;
  task.name = name;
  task.events = {1001};
  task.command = {"/bin/true"};
  return task;
}

Process process(int pid, uint64_t started) {
  Process made;
  made.pid = pid;
  made.started = started;
  return made;
}

class QueueTest : public ::testing::Test {
 protected:
  QueueTest() {
    ::setenv("TZ", "UTC", 1);
    EXPECT_TRUE(queue_.enqueue_for_new_events({}, now_)) << "sets the mark";
  }
  ~QueueTest() override { ::unsetenv("TZ"); }

  int64_t log(EventId id = EventId::replaced, const std::string& details = "") {
    int64_t record = 0;
    EXPECT_TRUE(database_.atomically("log", [&] {
      record = append_event(database_, {.record = 0,
                                        .id = id,
                                        .at = now_,
                                        .transaction = {},
                                        .service = "nginx:/n",
                                        .old_thumbprint = "0a",
                                        .new_thumbprint = "1a",
                                        .names = {"a.test"},
                                        .message = "",
                                        .details = details});
    }));
    return record;
  }
  void look() { ASSERT_TRUE(queue_.enqueue_for_new_events(tasks_, now_)); }
  void tick() { ASSERT_TRUE(queue_.enqueue_due_timers(tasks_, now_)); }
  std::optional<TaskRun> take() { return *queue_.take_next(tasks_, now_); }
  // Takes the next run and starts it.
  int64_t begin() {
    auto run = take();
    EXPECT_TRUE(run);
    if (!run) return 0;
    EXPECT_TRUE(queue_.started(run->id, "1 7", now_));
    return run->id;
  }
  void end(int64_t run, std::optional<int> status, const std::string& output = "") {
    ASSERT_TRUE(queue_.finished(tasks_, run, status, output, now_));
  }
  std::vector<std::string> states() {
    std::vector<std::string> all;
    auto runs = queue_.history("");
    for (const TaskRun& run : *runs) all.push_back(to_text(run.state));
    return all;
  }
  std::vector<Event> logged(EventId id) {
    std::vector<Event> found;
    auto events = events_after(database_, 0);
    for (Event& event : *events)
      if (event.id == id) found.push_back(event);
    return found;
  }

  TemporaryDirectory directory_;
  Database database_ = *Database::open_for_writing(directory_.path() + "/state.db");
  TaskQueue queue_{database_};
  std::vector<Task> tasks_ = {plain_task("a")};
  WallTime now_ = test_now();
};

TEST_F(QueueTest, AnEventMakesOneRun) {
  int64_t record = log();
  log(EventId::expired);
  look();
  look();
  auto run = take();
  ASSERT_TRUE(run);
  EXPECT_EQ(run->task, "a");
  EXPECT_EQ(run->event, record);
  EXPECT_EQ(run->state, RunState::queued);
  EXPECT_EQ(run->attempt, 1);
  EXPECT_THAT(*queue_.history(""), SizeIs(1));
}

TEST_F(QueueTest, ThePastTriggersNothing) {
  TemporaryDirectory elsewhere;
  auto database = Database::open_for_writing(elsewhere.path() + "/state.db");
  Event event = {.record = 0,
                 .id = EventId::replaced,
                 .at = now_,
                 .transaction = {},
                 .service = {},
                 .old_thumbprint = {},
                 .new_thumbprint = {},
                 .names = {},
                 .message = {}};
  ASSERT_TRUE(database->atomically("log", [&] { append_event(*database, event); }));
  TaskQueue queue(*database);
  ASSERT_TRUE(queue.enqueue_for_new_events(tasks_, now_));
  ASSERT_TRUE(queue.enqueue_for_new_events(tasks_, now_));
  EXPECT_FALSE(*queue.take_next(tasks_, now_));
}

TEST_F(QueueTest, AnOlderEventDoesNotTriggerANewTask) {
  log();
  tasks_.push_back(plain_task("late"));
  ASSERT_TRUE(queue_.added(tasks_[1], now_));
  look();
  EXPECT_THAT(*queue_.history("late"), IsEmpty());
  EXPECT_THAT(*queue_.history("a"), SizeIs(1));
  log();
  look();
  EXPECT_THAT(*queue_.history("late"), SizeIs(1));
}

TEST_F(QueueTest, TheMarkAndTheRunsAreOneTransaction) {
  log();
  // Simulates a power failure between the two: the database refuses the mark.
  database_.handle().exec(
      "CREATE TRIGGER no_mark BEFORE INSERT ON marks BEGIN SELECT RAISE(ABORT, 'no'); END");
  EXPECT_FALSE(queue_.enqueue_for_new_events(tasks_, now_));
  EXPECT_THAT(*queue_.history(""), IsEmpty());
  database_.handle().exec("DROP TRIGGER no_mark");
  look();
  EXPECT_THAT(*queue_.history(""), SizeIs(1));
}

TEST_F(QueueTest, InstancesOfOneTaskAreQueuedAndOthersRunBeside) {
  tasks_.push_back(plain_task("b"));
  log();
  log();
  look();
  int64_t first = begin();
  int64_t beside = begin();
  EXPECT_EQ(queue_.find(first)->task, "a");
  EXPECT_EQ(queue_.find(beside)->task, "b");
  EXPECT_FALSE(take());
  EXPECT_FALSE(*queue_.next_due(tasks_, now_)) << "nothing can be done until one ends";
  end(first, 0);
  EXPECT_EQ(take()->task, "a");
  EXPECT_LE(**queue_.next_due(tasks_, now_), now_);
}

TEST_F(QueueTest, OncePerBatchHasOneRunThatWaits) {
  tasks_[0].once_per_batch = true;
  log();
  int64_t last = log();
  look();
  ASSERT_THAT(*queue_.history(""), SizeIs(1));
  EXPECT_EQ(take()->event, last);
  int64_t run = begin();
  log();
  log();
  look();
  EXPECT_THAT(states(), ElementsAre("queued", "running")) << "news while it runs: one more";
  end(run, 1);
  EXPECT_THAT(states(), ElementsAre("queued", "failed")) << "… which is its next attempt too";
  run = begin();
  end(run, 1);
  EXPECT_GT(**queue_.next_due(tasks_, now_), now_);
  int64_t news = log();
  look();
  EXPECT_THAT(states(), ElementsAre("queued", "failed", "failed"));
  EXPECT_EQ(take()->event, news) << "news do not wait for the pause";
  EXPECT_EQ(take()->attempt, 1);
}

TEST_F(QueueTest, SuccessIsAnEvent) {
  int64_t record = log();
  look();
  int64_t run = begin();
  now_ += 5s;
  end(run, 0, "all well\n");
  EXPECT_EQ(queue_.find(run)->state, RunState::done);
  EXPECT_EQ(queue_.find(run)->status, 0);
  EXPECT_EQ(queue_.find(run)->output, "all well\n");
  EXPECT_EQ(queue_.find(run)->ended, now_);
  auto events = logged(EventId::task_done);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].new_thumbprint, "1a");
  EXPECT_THAT(events[0].names, ElementsAre("a.test"));
  EXPECT_THAT(events[0].details, HasSubstr("\"trigger\":1001"));
  EXPECT_EQ(queue_.find(run)->event, record);
  end(run, 1);
  EXPECT_THAT(states(), ElementsAre("done")) << "it ends once";
}

TEST_F(QueueTest, FailureIsTriedAgainThreeTimesTenMinutesApart) {
  log();
  look();
  for (int attempt = 1; attempt <= 4; ++attempt) {
    EXPECT_THAT(logged(EventId::task_failed), IsEmpty());
    auto run = take();
    ASSERT_TRUE(run) << attempt;
    EXPECT_EQ(run->attempt, attempt);
    end(begin(), 3, "attempt");
    EXPECT_FALSE(take());
    std::optional<WallTime> next = *queue_.next_due(tasks_, now_);
    EXPECT_EQ(next, attempt < 4 ? std::optional(now_ + 10min) : std::nullopt);
    now_ += 10min;
  }
  EXPECT_FALSE(take());
  EXPECT_THAT(states(), ElementsAre("failed", "failed", "failed", "failed"));
  auto events = logged(EventId::task_failed);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_THAT(events[0].message, HasSubstr("task a failed, 4 times: its exit status was 3"));
  EXPECT_THAT(events[0].message, HasSubstr("certrebind task history --id"));
}

TEST_F(QueueTest, WithoutRetries) {
  tasks_[0].retries = 0;
  log();
  look();
  end(begin(), 128 + 9);
  EXPECT_THAT(logged(EventId::task_failed)[0].message,
              HasSubstr("without a retry: it was ended by signal 9"));
}

TEST_F(QueueTest, ATaskThatIsGoneIsNotStartedAndNotTriedAgain) {
  log();
  look();
  int64_t run = begin();
  log();
  look();
  tasks_.clear();
  end(run, 1);
  EXPECT_THAT(states(), ElementsAre("queued", "failed"));
  EXPECT_THAT(logged(EventId::task_failed), SizeIs(1));
  EXPECT_FALSE(take());
  EXPECT_FALSE(*queue_.next_due(tasks_, now_));
  ASSERT_TRUE(queue_.removed("a"));
  EXPECT_THAT(states(), ElementsAre("failed"));
}

TEST_F(QueueTest, NoKeyComesIntoTheRecord) {
  log();
  look();
  int64_t run = begin();
  end(run, 0, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
  EXPECT_EQ(queue_.find(run)->output, "[private key removed]\n");
}

TEST_F(QueueTest, ARunThatEndedCannotBeStarted) {
  log();
  look();
  int64_t run = begin();
  EXPECT_TRUE(queue_.started(run, "2 8", now_)) << "handed on to the child";
  end(run, 0);
  EXPECT_THAT(queue_.started(run, "1 7", now_).error().cause, testing::HasSubstr("ended already"));
  EXPECT_EQ(queue_.find(99).error().code, Code::not_found);
}

TEST_F(QueueTest, WhatACrashInterruptedIsTriedAgainAtOnce) {
  ScriptedProcesses processes;
  processes.processes = {process(1, 7), process(2, 8)};
  tasks_.push_back(plain_task("b"));
  log();
  look();
  int64_t alive = begin(), dead = begin();
  ASSERT_TRUE(queue_.started(dead, "2 9", now_)) << "pid 2 is somebody else by now";
  ASSERT_TRUE(queue_.interrupted(tasks_, processes, now_));
  EXPECT_EQ(queue_.find(alive)->state, RunState::running);
  EXPECT_EQ(queue_.find(dead)->state, RunState::failed);
  EXPECT_FALSE(queue_.find(dead)->status);
  auto again = take();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->task, "b");
  EXPECT_EQ(again->attempt, 2);
}

TEST_F(QueueTest, ARunThatIsAlwaysInterruptedFailsAtLast) {
  log();
  look();
  for (int attempt = 1; attempt <= 4; ++attempt) {
    begin();
    ASSERT_TRUE(queue_.interrupted(tasks_, ScriptedProcesses(), now_));
  }
  EXPECT_FALSE(take());
  EXPECT_THAT(logged(EventId::task_failed)[0].message, HasSubstr("it was interrupted"));
}

TEST_F(QueueTest, ByHandBesideTheQueueButNeverTwo) {
  auto run = queue_.begin_now(tasks_[0], std::nullopt, "5 5", now_);
  ASSERT_TRUE(run);
  EXPECT_EQ(queue_.begin_now(tasks_[0], std::nullopt, "6 6", now_).error().code, Code::busy);
  log();
  look();
  EXPECT_FALSE(take());
  ScriptedProcesses processes;
  processes.processes = {process(5, 5)};
  ASSERT_TRUE(queue_.interrupted(tasks_, processes, now_));
  EXPECT_FALSE(take()) << "it still runs";
  ASSERT_TRUE(queue_.interrupted(tasks_, ScriptedProcesses(), now_));
  EXPECT_THAT(states(), ElementsAre("queued", "failed")) << "not tried again";
}

TEST_F(QueueTest, AWindowHoldsRuns) {
  tasks_[0].window = Window{120, 240};
  now_ = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 10)) + 12h;
  log();
  look();
  EXPECT_FALSE(take());
  EXPECT_EQ(**queue_.next_due(tasks_, now_), now_ + 14h);
  now_ += 14h;
  EXPECT_TRUE(take());
  now_ += 2h;
  EXPECT_FALSE(take()) << "it closed";
}

TEST_F(QueueTest, ADisabledTaskHoldsItsRuns) {
  log();
  look();
  tasks_[0].enabled = false;
  EXPECT_FALSE(take());
  EXPECT_FALSE(*queue_.next_due(tasks_, now_));
}

TEST_F(QueueTest, AClockThatWasPutBackStallsNoRun) {
  log();
  look();
  now_ -= 24h * 365;
  EXPECT_LE(**queue_.next_due(tasks_, now_), now_);
  end(begin(), 1);
  EXPECT_EQ(**queue_.next_due(tasks_, now_), now_ + 10min);
}

TEST_F(QueueTest, HistoryIsBounded) {
  for (int i = 0; i < 1'010; ++i)
    database_.handle().exec(
        "INSERT INTO task_runs (task, state, due_ms, ended_ms) VALUES ('a', "
        "'done', 0, " +
        std::to_string(now_.time_since_epoch().count()) + ")");
  database_.handle().exec("UPDATE task_runs SET ended_ms = 0 WHERE id = 1005");
  database_.handle().exec("UPDATE task_runs SET state = 'running' WHERE id = 1");
  ASSERT_TRUE(queue_.prune(now_, 90));
  auto left = queue_.history("a");
  EXPECT_THAT(*left, SizeIs(1'000));
  EXPECT_EQ(left->back().id, 1) << "what runs is kept";
  EXPECT_EQ(queue_.find(1005).error().code, Code::not_found);
}

class QueueTimerTest : public QueueTest {
 protected:
  QueueTimerTest() {
    tasks_[0].events.clear();
    now_ = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 10)) + 12h;
  }
  // Finishes all due runs. Returns the number of runs so far.
  size_t runs() {
    tick();
    while (take()) end(begin(), 0);
    return queue_.history("")->size();
  }
};

TEST_F(QueueTimerTest, Every) {
  tasks_[0].every = 2h;
  EXPECT_EQ(runs(), 0U) << "it begins now";
  EXPECT_EQ(**queue_.next_due(tasks_, now_), now_ + 2h);
  now_ += 2h - 1ms;
  EXPECT_EQ(runs(), 0U);
  now_ += 1ms;
  EXPECT_EQ(runs(), 1U);
  EXPECT_EQ(runs(), 1U);
  now_ += 24h;
  EXPECT_EQ(runs(), 2U) << "one for all that were missed";
  EXPECT_EQ(**queue_.next_due(tasks_, now_), now_ + 2h);
}

TEST_F(QueueTimerTest, EveryIsSpreadOverMachines) {
  tasks_[0].every = 2h;
  now_ += 4min + 321ms;
  runs();
  EXPECT_EQ(**queue_.next_due(tasks_, now_), now_ + 2h + 4min + 321ms);
  now_ += 3min;
  tasks_[0].every = 1h;
  runs();
  EXPECT_EQ(**queue_.next_due(tasks_, now_), now_ + 1h + 1min + 321ms) << "a twentieth at the most";
}

TEST_F(QueueTimerTest, Daily) {
  tasks_[0].daily_at = 210;
  EXPECT_EQ(runs(), 0U);
  EXPECT_EQ(**queue_.next_due(tasks_, now_), now_ + 15h + 30min);
  now_ += 15h + 30min;
  EXPECT_EQ(runs(), 1U);
  EXPECT_EQ(runs(), 1U);
  EXPECT_EQ(**queue_.next_due(tasks_, now_), now_ + 24h);
  now_ += 72h + 5min;
  EXPECT_EQ(runs(), 2U) << "one for all that were missed";
}

TEST_F(QueueTimerTest, AClockPutBackALittleRepeatsNothing) {
  tasks_[0].daily_at = 13 * 60;
  runs();
  now_ += 1h;
  EXPECT_EQ(runs(), 1U);
  now_ -= 10min;
  EXPECT_EQ(runs(), 1U);
  now_ += 10min;
  EXPECT_EQ(runs(), 1U);
  now_ += 24h;
  EXPECT_EQ(runs(), 2U);
}

TEST_F(QueueTimerTest, AClockPutBackFarStallsNothing) {
  tasks_.push_back(plain_task("b"));
  tasks_[0].daily_at = 13 * 60;
  tasks_[1].events.clear();
  tasks_[1].every = 2h;
  runs();
  now_ += 1h;
  EXPECT_EQ(runs(), 1U);
  now_ -= 24h * 365;
  for (int turn = 0; turn < 5; ++turn)
    EXPECT_EQ(runs(), 1U) << "nothing at once, nor again and again";
  EXPECT_EQ(**queue_.next_due(tasks_, now_), now_ + 2h);
  now_ += 24h;
  runs();
  EXPECT_THAT(*queue_.history("a"), SizeIs(2));
  EXPECT_THAT(*queue_.history("b"), SizeIs(1));
}

TEST_F(QueueTimerTest, ARunThatStillWaitsHasNoSecond) {
  tasks_[0].every = 2h;
  tasks_[0].window = Window{120, 240};
  tick();
  for (int i = 0; i < 5; ++i) {
    now_ += 2h;
    tick();
    EXPECT_GT(**queue_.next_due(tasks_, now_), now_);
  }
  EXPECT_THAT(states(), ElementsAre("queued"));
}

TEST_F(QueueTimerTest, AnotherTimerOrOneSwitchedOnBeginsAnew) {
  tasks_[0].every = 2h;
  runs();
  now_ += 3h;
  tasks_[0].every = 1h;
  EXPECT_EQ(runs(), 0U);
  tasks_[0].enabled = false;
  now_ += 3h;
  EXPECT_EQ(runs(), 0U);
  EXPECT_FALSE(*queue_.next_due(tasks_, now_));
  tasks_[0].enabled = true;
  EXPECT_EQ(runs(), 0U);
  now_ += 1h;
  EXPECT_EQ(runs(), 1U);
}

}  // namespace
}  // namespace certrebind
