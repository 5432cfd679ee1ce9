#include "transaction/systemd_unit.h"

#include <gtest/gtest.h>

#include "sys/scripted.h"

namespace certrebind {
namespace {

constexpr const char* kShown =
    "Id=cron.service\nMainPID=40\n\nMainPID=41\nId=vsftpd.service\n\nMainPID=0\nId=nginx.service\n";

TEST(SystemdUnit, IsFoundByItsMainProcess) {
  ScriptedCommands commands;
  commands.answer = [](const Command&) { return CommandOutput{.output = kShown}; };
  EXPECT_EQ(*unit_of(commands, 40), "cron.service");
  EXPECT_EQ(*unit_of(commands, 41), "vsftpd.service");
  EXPECT_EQ(unit_of(commands, 4).error().code, Code::not_found);
  EXPECT_EQ(unit_of(commands, 410).error().code, Code::not_found);
}

TEST(SystemdUnit, IsRestartedByItsNameAlone) {
  ScriptedCommands commands;
  ASSERT_TRUE(restart_unit(commands, "vsftpd.service"));
  EXPECT_EQ(commands.ran.front().text(),
            "/usr/bin/systemctl --no-ask-password restart -- vsftpd.service");
  commands.answer = [](const Command&) {
    return CommandOutput{.status = 1, .output = "Job for vsftpd.service failed\n"};
  };
  auto failed = restart_unit(commands, "vsftpd.service");
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("Job for vsftpd.service failed"), std::string::npos);
}

TEST(SystemdUnit, MayNotRun) {
  ScriptedCommands commands;
  commands.answer = [](const Command&) { return CommandOutput{.output = "0\n"}; };
  EXPECT_EQ(*main_process_of(commands, "x.service"), 0);
}

}  // namespace
}  // namespace certrebind
