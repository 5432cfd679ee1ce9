#include "daemon/task_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TaskWorkerTest : public ::testing::Test {
 protected:
  TaskWorkerTest() {
    task_.name = "deploy";
    task_.command = {"/bin/deploy", "$(NewCertHash)"};
    files_.put("/bin/deploy", "", 0755);
    files_.put("/bin/sh", "", 0755);
  }
  TaskResult run(std::optional<Event> event = {}) {
    Host host{.files = files_,
              .processes = processes_,
              .commands = commands_,
              .network = wire_->network,
              .clock = clock_};
    return run_task(host, {}, task_, event, "/root");
  }
  MemoryFiles files_;
  ScriptedProcesses processes_;
  ScriptedCommands commands_;
  FakeWirePtr wire_ = take_wire();
  ManualClock clock_{test_now()};
  Task task_;
};

TEST_F(TaskWorkerTest, GivesTheEventToTheCommandAndItsOutputBack) {
  commands_.answer = [](const Command&) -> Result<CommandOutput> {
    return CommandOutput{.status = 3, .output = "said\n"};
  };
  Event event{.record = 4,
              .id = EventId::replaced,
              .at = {},
              .transaction = {},
              .service = {},
              .old_thumbprint = "0a",
              .new_thumbprint = "1a",
              .names = {},
              .message = {}};
  TaskResult result = run(event);
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.output, "said\n");
  ASSERT_THAT(commands_.ran, SizeIs(1));
  EXPECT_EQ(commands_.ran[0].arguments[1], "1a");
  EXPECT_THAT(*commands_.ran[0].environment, Contains("CERTREBIND_EVENT_RECORD=4"));
}

TEST_F(TaskWorkerTest, KeysAreNotKept) {
  commands_.answer = [](const Command&) -> Result<CommandOutput> {
    return CommandOutput{
        .output = "-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n"};
  };
  EXPECT_EQ(run().output, "[private key removed]\n");
}

TEST_F(TaskWorkerTest, TheTimeLimitIsTold) {
  task_.time_limit = 90s;
  commands_.answer = [](const Command&) -> Result<CommandOutput> {
    return CommandOutput{.status = 137, .output = "half", .timed_out = true};
  };
  TaskResult result = run();
  EXPECT_EQ(result.status, 137);
  EXPECT_EQ(result.output, "half\ncertrebind: killed, because it did not end within 1m30s\n");
}

TEST_F(TaskWorkerTest, ItIsKilledInEarnest) {
  SystemCommands commands;
  Host host{.files = files_,
            .processes = processes_,
            .commands = commands,
            .network = wire_->network,
            .clock = clock_};
  task_.command = {"/bin/sh", "-c", "echo begun; /bin/sleep 1000"};
  // On a busy machine it may be killed before its first output.
  TaskResult result;
  for (task_.time_limit = 200ms; !result.output.contains("begun\n") && task_.time_limit < 60s;
       task_.time_limit *= 2) {
    result = run_task(host, {}, task_, {}, "/root");
    EXPECT_EQ(result.status, 137);
  }
  EXPECT_THAT(result.output, HasSubstr("begun\n"));
}

TEST_F(TaskWorkerTest, AProgramIsLookedForInThePathThatItWillSee) {
  files_.put("/usr/bin/deploy", "", 0755);
  files_.put("/sbin/deploy", "", 0755);
  files_.put("/usr/sbin/deploy", "not a program", 0644);
  task_.command = {"deploy"};
  EXPECT_EQ(run().status, 0);
  EXPECT_EQ(commands_.ran[0].arguments[0], "/usr/bin/deploy");
  task_.environment = {{"PATH", "/opt:/sbin"}};
  EXPECT_EQ(run().status, 0);
  EXPECT_EQ(commands_.ran[1].arguments[0], "/sbin/deploy");
}

TEST_F(TaskWorkerTest, AProgramThatIsNotThereIsTold) {
  for (const char* program : {"nope", "./deploy", "bin/deploy", "/bin/nope"}) {
    task_.command = {program};
    TaskResult result = run();
    EXPECT_EQ(result.status, 127);
    EXPECT_THAT(result.output, HasSubstr(std::string("cannot run ") + program));
  }
  EXPECT_THAT(commands_.ran, IsEmpty());
  commands_.answer = [](const Command&) -> Result<CommandOutput> {
    return fail(Code::not_found, "run", "/bin/deploy", "the program cannot be started");
  };
  task_.command = {"/bin/deploy"};
  EXPECT_EQ(run().status, 127);
}

}  // namespace
}  // namespace certrebind
