#include "service/nginx/discover.h"

#include "service/nginx/view_for_test.h"
#include "sys/scripted.h"

namespace certrebind::nginx {
namespace {

struct Host {
  Host() {
    commands.answer = [](const Command&) {
      return Result<CommandOutput>(CommandOutput{
          0,
          "configure arguments: --prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf",
          {}});
    };
    files.put("/etc/nginx/nginx.conf", "");
    files.put("/usr/sbin/nginx", "");
  }

  Process& run(int pid, std::vector<std::string> arguments) {
    Process& process = processes.processes.emplace_back();
    process.pid = pid;
    process.arguments = std::move(arguments);
    process.executable = "/usr/sbin/nginx";
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

const std::string kMaster = "nginx: master process /usr/sbin/nginx";

TEST(Discover, FindsADebianMaster) {
  Host host;
  host.run(7, {kMaster + " -g daemon on; master_process on;"});
  host.run(8, {"nginx: worker process"});
  auto found = host.running();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].config, "/etc/nginx/nginx.conf");
  EXPECT_EQ(found[0].prefix, "/usr/share/nginx");
  EXPECT_EQ(found[0].extra_arguments, (Lines{"-g", "daemon on; master_process on;"}));
  ASSERT_TRUE(found[0].master.has_value());
  EXPECT_EQ(found[0].master->pid, 7);
  EXPECT_EQ(found[0].master->started, 70u);
  EXPECT_EQ(found[0].master->signal, 1);
  EXPECT_TRUE(host.diagnostics.empty());
}

TEST(Discover, ResolvesRelativePaths) {
  Host host;
  host.run(7, {kMaster + " -p ./run -c conf/n.conf"});
  auto found = host.running();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].prefix, "/srv/run");
  EXPECT_EQ(found[0].config, "/srv/run/conf/n.conf");
  EXPECT_TRUE(host.commands.ran.empty());
}

TEST(Discover, LooksIntoAChroot) {
  Host host;
  Process& process = host.run(7, {kMaster});
  process.root = "/jail";
  process.executable = "/jail/usr/sbin/nginx";
  process.working_directory = "/jail/x";
  auto found = host.running();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].root, "/jail");
  EXPECT_EQ(host.commands.ran.at(0).root, "/jail");
  EXPECT_EQ(host.commands.ran.at(0).arguments, (Lines{"/usr/sbin/nginx", "-V"}));
}

TEST(Discover, OneInAContainerIsReadThere) {
  Host host;
  Process& process = host.run(7, {"nginx: master process nginx -p /x -c n.conf"});
  process.other_mounts = true;
  process.root = "/proc/7/root";
  auto found = host.running();
  EXPECT_TRUE(host.commands.ran.empty());
  if (own_user() == 0) {
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].trust.container, "/proc/7/root");
    EXPECT_EQ(found[0].config, "/x/n.conf");
  } else {
    ASSERT_EQ(host.diagnostics.size(), 1u);
    EXPECT_NE(host.diagnostics[0].message.find("container"), std::string::npos);
  }
}

TEST(Discover, LeavesSingleProcessesOut) {
  Host host;
  host.run(8, {"nginx", "-g", "daemon off; master_process off;"});
  host.run(9, {"nginx", "-t"});
  host.run(10, {kMaster}).executable = "";
  host.run(11, {});
  EXPECT_TRUE(host.running().empty());
  ASSERT_EQ(host.diagnostics.size(), 2u);
  EXPECT_NE(host.diagnostics[0].message.find("single process"), std::string::npos);
  EXPECT_NE(host.diagnostics[1].message.find("root"), std::string::npos);
}

TEST(Discover, GivesTheNewerOfTwoMasters) {
  Host host;
  host.run(9, {kMaster});
  host.run(7, {kMaster});
  auto found = host.running();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].master->pid, 9);
  EXPECT_EQ(host.diagnostics.size(), 1u);
  EXPECT_EQ(host.commands.ran.size(), 1u);
}

TEST(Discover, NamesAMasterWhoseConfigurationIsUnknown) {
  Host host;
  host.commands.answer = [](const Command&) {
    return Result<CommandOutput>(CommandOutput{1, "", {}});
  };
  host.run(7, {kMaster});
  host.run(8, {kMaster + " -c /x.conf"});
  auto found = host.running();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].config, "/x.conf");
  EXPECT_EQ(found[0].prefix, "");
  EXPECT_EQ(host.diagnostics.size(), 2u);
}

TEST(InstanceFor, PrefersTheRunningOne) {
  Host host;
  host.run(7, {kMaster});
  host.files.put_link("/linked.conf", "/etc/nginx/nginx.conf");
  auto found = host.at("/linked.conf");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->master->pid, 7);
}

TEST(InstanceFor, ServesWhatDoesNotRun) {
  Host host;
  host.files.put("/x/n.conf", "");
  host.run(7, {kMaster});
  auto found = host.at("/x/n.conf");
  ASSERT_TRUE(found.has_value());
  EXPECT_FALSE(found->master.has_value());
  EXPECT_EQ(found->executable, "/usr/sbin/nginx");
  EXPECT_EQ(found->prefix, "/usr/share/nginx");
}

TEST(InstanceFor, FailsWithoutAFileOrAProgram) {
  Host host;
  EXPECT_EQ(host.at("/none.conf").error().code, Code::not_found);
  EXPECT_TRUE(host.files.remove("/usr/sbin/nginx").has_value());
  EXPECT_EQ(host.at("/etc/nginx/nginx.conf").error().code, Code::not_found);
}

}  // namespace
}  // namespace certrebind::nginx
