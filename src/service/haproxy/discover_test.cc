#include "service/haproxy/discover.h"

#include <gtest/gtest.h>

#include "service/rooted_for_test.h"
#include "sys/scripted.h"

namespace certrebind::haproxy {
namespace {

struct Host {
  Host() {
    commands.answer = [](const Command&) {
      return Result<CommandOutput>(CommandOutput{0, "HAProxy version 2.6.12-1 x\n", {}});
    };
    files.put("/etc/haproxy/haproxy.cfg", "");
    files.put("/usr/sbin/haproxy", "");
  }

  Process& run(int pid, int parent, std::vector<std::string> arguments) {
    Process& process = processes.processes.emplace_back();
    process.pid = pid;
    process.parent = parent;
    process.arguments = std::move(arguments);
    process.executable = "/usr/sbin/haproxy";
    process.root = "/";
    process.working_directory = "/srv";
    process.started = static_cast<uint64_t>(pid) * 10;
    return process;
  }
  std::vector<Instance> running() {
    auto found = running_instances(processes, commands, files, diagnostics);
    EXPECT_TRUE(found.has_value());
    return found ? std::move(*found) : std::vector<Instance>{};
  }
  Result<Instance> at(const std::string& config) {
    return instance_for(config, processes, commands, files, diagnostics);
  }

  ScriptedProcesses processes;
  ScriptedCommands commands;
  MemoryFiles files;
  std::vector<Diagnostic> diagnostics;
};

const std::string kConfig = "/etc/haproxy/haproxy.cfg";

TEST(HaproxyDiscover, AMasterAndNotItsWorkers) {
  Host host;
  host.run(7, 1, {"haproxy", "-sf", "8", "-x", "sockpair@3", "-Ws", "-f", kConfig, "-f", "more"});
  host.run(8, 7, {"haproxy", "-Ws", "-f", kConfig}).root = "/var/lib/haproxy";
  host.processes.environments[7] = {"A=1", "HAPROXY_MWORKER_WAIT_ONLY=1", "broken"};
  auto found = host.running();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].started.paths, (Lines{kConfig, "/srv/more"}));
  EXPECT_EQ(found[0].started.environment, (std::map<std::string, std::string>{{"A", "1"}}));
  EXPECT_EQ(found[0].started.build.version, "2.6.12");
  EXPECT_EQ(found[0].master->pid, 7);
  EXPECT_EQ(found[0].master->name, "USR2");
  EXPECT_TRUE(found[0].restart_only.empty());
  EXPECT_TRUE(host.diagnostics.empty());
}

TEST(HaproxyDiscover, WithoutAMasterOnlyARestartLoads) {
  Host host;
  Process& process = host.run(7, 1, {"haproxy", "-D", "-f", kConfig});
  process.root = "/var/lib/haproxy";                 // entered after reading
  host.run(6, 1, {"haproxy", "-D", "-f", kConfig});  // finishes old connections after a reload
  host.processes.held = {{7, {1}}, {6, {2}}};
  host.processes.listening = {1};
  auto found = host.running();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].master->pid, 7);
  EXPECT_EQ(found[0].root, "/");
  EXPECT_NE(found[0].restart_only, "");
}

TEST(HaproxyDiscover, WhatIsNoServerOrNotOurs) {
  Host host;
  host.run(7, 1, {"haproxy", "-c", "-f", kConfig});
  host.run(9, 1, {"haproxy", "-Ws", "-f", kConfig}).executable.clear();
  host.run(10, 1, {});
  EXPECT_TRUE(host.running().empty());
  EXPECT_EQ(host.diagnostics.size(), 1U);
}

// Also a single process, whose configuration could be taken for the file of that name on this host.
TEST(HaproxyDiscover, OneInAContainerIsReadThere) {
  for (const char* mode : {"-Ws", "-db"}) {
    Host host;
    Process& process = host.run(8, 1, {"haproxy", mode, "-f", kConfig});
    process.other_mounts = true;
    process.root = "/proc/8/root";
    process.working_directory = "/proc/8/root/";
    host.processes.held = {{8, {1}}};
    host.processes.listening = {1};
    auto found = host.running();
    if (own_user() != 0) {
      EXPECT_TRUE(found.empty());
      continue;
    }
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].trust.container, "/proc/8/root");
    EXPECT_TRUE(host.commands.ran.empty());
  }
}

TEST(HaproxyDiscover, AScriptOfThatNameIsNoHaproxy) {
  Host host;
  host.run(6, 1, {"/bin/sh", "/etc/init.d/haproxy", "-f", kConfig}).executable = "/usr/bin/dash";
  host.run(7, 6, {"haproxy", "-W", "-f", kConfig});
  auto found = host.running();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].master->pid, 7);
}

TEST(HaproxyDiscover, OfTwoMastersTheLaterOne) {
  Host host;
  host.run(7, 1, {"haproxy", "-W", "-f", kConfig});
  host.run(8, 1, {"haproxy", "-W", "-f", kConfig});
  auto found = host.running();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].master->pid, 8);
  EXPECT_EQ(host.diagnostics.size(), 1U);
}

TEST(HaproxyDiscover, ByItsFile) {
  Host host;
  host.files.put_link("/link.cfg", kConfig);
  auto idle = host.at("/link.cfg");
  ASSERT_TRUE(idle);
  EXPECT_FALSE(idle->master);
  host.run(7, 1, {"haproxy", "-W", "-f", "/other.cfg", "-f", kConfig});
  auto running = host.at("/link.cfg");
  ASSERT_TRUE(running);
  EXPECT_EQ(running->master->pid, 7);
  EXPECT_FALSE(host.at("/nowhere.cfg"));
  host.processes.processes[0].executable.clear();
  auto hidden = host.at(kConfig);
  ASSERT_FALSE(hidden);
  EXPECT_EQ(hidden.error().code, Code::denied);
}

}  // namespace
}  // namespace certrebind::haproxy
