#include "sys/processes.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace certrebind {
namespace {

using namespace std::chrono_literals;

Result<CommandOutput> run(std::vector<std::string> arguments, milliseconds deadline = 10s) {
  return SystemCommands().run({.arguments = std::move(arguments), .root = {}}, deadline);
}

TEST(Commands, GivesStatusAndBothOutputs) {
  auto result = run({"/bin/sh", "-c", "echo out; echo err >&2; exit 3"});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 3);
  EXPECT_EQ(result->output, "out\nerr\n");
}

TEST(Commands, AKilledProgramIsAStatusAsShellsGiveIt) {
  EXPECT_EQ(run({"/bin/sh", "-c", "kill -9 $$"})->status, 128 + 9);
}

TEST(Commands, RunsNoProgramOfAContainer) {
  const std::string root = "/proc/" + std::to_string(::getpid()) + "/root";
  auto done = SystemCommands().run({.arguments = {"/bin/true"}, .root = root}, 10s);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
}

TEST(Commands, KillsWhatOutlivesTheDeadlineWithItsChildren) {
  auto result = run({"/bin/sh", "-c", "/bin/sleep 1000 & /bin/sleep 1000"}, 100ms);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::timed_out);
}

TEST(Commands, AMissingProgramIsNotFound) {
  auto result = run({"/nonexistent/program"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::not_found);
}

TEST(Commands, FilesThatItMakesArePrivateUnlessSaidOtherwise) {
  SystemCommands commands;
  std::vector<std::string> ask = {"/bin/sh", "-c", "umask"};
  EXPECT_EQ(commands.run({.arguments = ask, .root = {}}, 10s)->output, "0077\n");
  EXPECT_EQ(commands.run({.arguments = ask, .root = {}, .file_mask = 0022}, 10s)->output, "0022\n");
}

TEST(Commands, ShowsFilesToOneProgramAlone) {
  char path[] = "/tmp/certrebind-shown-XXXXXX";
  ::close(::mkstemp(path));
  SystemCommands commands;
  auto shown = commands.run(
      {.arguments = {"/bin/sh", "-c", std::string("cat ") + path + "; stat -c %a " + path},
       .root = {},
       .shown = {{.path = path, .content = "other", .mode = 0640}}},
      10s);
  auto on_disk = run({"/bin/cat", path});
  ::unlink(path);
  EXPECT_EQ(on_disk->output, "");
  if (own_user() == 0)
    EXPECT_EQ(shown->output, "other640\n");
  else
    EXPECT_EQ(shown.error().code, Code::unsupported);
}

TEST(Commands, ShowsNothingInPlaceOfAFileThatDoesNotExist) {
  SystemCommands commands;
  auto shown = commands.run({.arguments = {"/bin/true"},
                             .root = {},
                             .shown = {{.path = "/nonexistent/file", .content = ""}}},
                            10s);
  EXPECT_EQ(shown.error().code, Code::not_found);
}

TEST(Commands, TextIsWhatAShellWouldTake) {
  EXPECT_EQ((Command{.arguments = {"nginx", "-g", "daemon off;", "it's"}, .root = {}}.text()),
            "nginx -g 'daemon off;' 'it'\\''s'");
}

TEST(Commands, ADeadlineHoldsAlsoForWhatSaysNothingMore) {
  auto result = run({"/bin/sh", "-c", "exec >&- 2>&-; exec /bin/sleep 1000"}, 100ms);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::timed_out);
}

TEST(Commands, WhatIsLeftInTheBackgroundIsNotWaitedFor) {
  auto result = run({"/bin/sh", "-c", "/bin/sleep 30 & echo started"}, 20s);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 0);
  EXPECT_EQ(result->output, "started\n");
  EXPECT_LT(result->took, 10s);
}

Result<CommandOutput> run_foreign(const std::string& script, milliseconds deadline = 10s) {
  return SystemCommands().run(
      {.arguments = {"/bin/sh", "-c", script}, .root = {}, .environment = {{"A=1", "B=x y"}}},
      deadline);
}

TEST(Commands, AForeignProgramHasOnlyItsEnvironmentAndBeginsAsUnderCron) {
  auto result = run_foreign("/usr/bin/env | /usr/bin/grep -c HOME; echo $A $B; pwd; umask");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "0\n1 x y\n/\n0022\n");
}

TEST(Commands, OfAForeignProgramTheEndIsKept) {
  auto result = run_foreign("/usr/bin/head -c 1000000 /dev/zero; echo; echo last");
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->output.ends_with("\nlast\n"));
  EXPECT_EQ(result->output.size(), 256U * 1024);
}

TEST(Commands, AForeignProgramsDeadlineIsAValueWithItsOutput) {
  std::string output;
  // A busy machine may not even start it within the first deadlines.
  for (milliseconds deadline = 200ms; output.empty() && deadline < 60s; deadline *= 2) {
    auto result = run_foreign("echo said; /bin/sleep 1000 & /bin/sleep 1000", deadline);
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->timed_out);
    EXPECT_EQ(result->status, 128 + 9);
    output = result->output;
  }
  EXPECT_EQ(output, "said\n");
}

TEST(ProcessTable, FindsTheFirstProcess) {
  auto first = SystemProcessTable().find(1);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->pid, 1);
  EXPECT_EQ(first->parent, 0);
}

TEST(ProcessTable, FindsByNameWithArgumentsAndExecutable) {
  auto found = SystemProcessTable().named("unit_tests");
  ASSERT_TRUE(found);
  ASSERT_FALSE(found->empty());
  EXPECT_TRUE(found->back().executable.ends_with("unit_tests"));
  EXPECT_EQ(found->back().root, "/");
  EXPECT_FALSE(found->back().other_mounts);
  EXPECT_EQ(SystemProcessTable().find(own_pid())->user, own_user());
}

TEST(ProcessTable, ASignalForAnotherStartTimeIsNotSent) {
  SystemProcessTable table;
  Done sent = table.signal(1, 12345678901234, 0);
  ASSERT_FALSE(sent);
}

TEST(ProcessTable, TellsWhetherASignalWouldBeCaught) {
  // For the main thread, in which tests run.
  SystemProcessTable table;
  EXPECT_FALSE(*table.catches(own_pid(), SIGUSR2, false));
  auto before = std::signal(SIGUSR2, [](int) {});
  EXPECT_TRUE(*table.catches(own_pid(), SIGUSR2, false));
  EXPECT_FALSE(*table.catches(own_pid(), SIGUSR1, false));
  sigset_t held, mask;
  sigemptyset(&held);
  sigaddset(&held, SIGUSR2);
  sigprocmask(SIG_BLOCK, &held, &mask);
  EXPECT_FALSE(*table.catches(own_pid(), SIGUSR2, false)) << "held off";
  EXPECT_TRUE(*table.catches(own_pid(), SIGUSR2, true)) << "held off, and taken later";
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  std::signal(SIGUSR2, SIG_IGN);
  EXPECT_FALSE(*table.catches(own_pid(), SIGUSR2, false)) << "ignored";
  std::signal(SIGUSR2, before);
  EXPECT_FALSE(table.catches(1 << 30, SIGUSR2, false));
}

TEST(ProcessTable, TellsTheEnvironmentOfAProcess) {
  auto ours = SystemProcessTable().environment(own_pid());
  ASSERT_TRUE(ours);
  EXPECT_TRUE(
      std::ranges::any_of(*ours, [](const std::string& v) { return v.starts_with("PATH="); }));
  EXPECT_FALSE(SystemProcessTable().environment(1 << 30));
}

// No port for a UNIX socket.
std::set<uint16_t> port_of(int socket, int family) {
  if (family == AF_UNIX) return {};
  sockaddr_in6 at{};  // the port is at the same offset in sockaddr_in
  socklen_t size = sizeof at;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size);
  return {ntohs(at.sin6_port)};
}

TEST(ProcessTable, TellsWhoListens) {
  SystemProcessTable table;
  auto listeners = [&] { return table.listening_sockets(own_pid()).value().size(); };
  EXPECT_FALSE(table.listening_sockets(1 << 30));
  const std::vector<int> nobody = {1 << 30};
  const std::vector<int> us = {own_pid(), 1 << 30};
  EXPECT_EQ(table.listening_ports(nobody).error().code, Code::not_found);
  for (int family : {AF_INET, AF_INET6, AF_UNIX}) {
    EXPECT_EQ(listeners(), 0U);
    int socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage address{};
    address.ss_family = static_cast<sa_family_t>(family);
    socklen_t size = family == AF_INET    ? sizeof(sockaddr_in)
                     : family == AF_INET6 ? sizeof(sockaddr_in6)
                                          : sizeof(sa_family_t);  // autobind: unix(7)
    ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listeners(), 0U);
    ASSERT_EQ(::listen(socket, 1), 0);
    EXPECT_EQ(listeners(), 1U);
    EXPECT_EQ(table.listening_ports(us).value(), port_of(socket, family));
    ::close(socket);
  }
}

TEST(SystemUnit, IsTheServiceAmongTheCgroups) {
  EXPECT_EQ(system_unit_in("0::/system.slice/squid.service\n"), "squid.service");
  EXPECT_EQ(system_unit_in("0::/system.slice/system-vpn.slice/vpn@a.service/below\n"),
            "vpn@a.service");
  EXPECT_EQ(system_unit_in("2:cpu:/other.service\n1:name=systemd:/system.slice/a.service\n"),
            "a.service");
  EXPECT_EQ(system_unit_in("1:name=systemd:/\n0::/system.slice/a.service\n"), "a.service");
}

TEST(SystemUnit, IsNoneOfUsersAndContainers) {
  EXPECT_EQ(system_unit_in("0::/user.slice/user-1000.slice/session-3.scope\n"), "");
  EXPECT_EQ(system_unit_in("0::/system.slice/docker-0a.scope/squid.service\n"), "");
  EXPECT_EQ(system_unit_in("0::/\n"), "");
  EXPECT_EQ(system_unit_in(""), "");
  const std::string manager =
      "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service";
  EXPECT_EQ(system_unit_in(manager), "user@1000.service");
}

}  // namespace
}  // namespace certrebind
