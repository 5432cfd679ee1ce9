#include "service/apache/discover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sys/memory_files.h"
#include "sys/scripted.h"

namespace certrebind::apache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ApacheDiscoverTest : public ::testing::Test {
 protected:
  ApacheDiscoverTest() {
    commands_.answer = [](const Command& command) {
      CommandOutput output;
      output.output = command.arguments.at(1) == "-l" ? "Compiled in modules:\n  core.c\n"
                                                      : "-D HTTPD_ROOT=\"/etc/apache2\"\n"
                                                        "-D SERVER_CONFIG_FILE=\"apache2.conf\"\n";
      return Result<CommandOutput>(output);
    };
    files_.put("/etc/apache2/apache2.conf", "");
    files_.put("/usr/sbin/apache2", "");
  }
  void run(int pid, int parent, std::vector<std::string> arguments) {
    Process process;
    process.pid = pid;
    process.parent = parent;
    process.executable = "/usr/sbin/apache2";
    process.arguments = std::move(arguments);
    process.root = "/";
    process.working_directory = "/";
    process.started = 7;
    processes_.processes.push_back(process);
  }
  std::vector<Instance> running() {
    auto found = running_instances(processes_, commands_, files_, diagnostics_);
    EXPECT_TRUE(found);
    return found ? std::move(*found) : std::vector<Instance>();
  }

  ScriptedProcesses processes_;
  ScriptedCommands commands_;
  MemoryFiles files_;
  std::vector<Diagnostic> diagnostics_;
};

TEST_F(ApacheDiscoverTest, FindsTheMaster) {
  run(100, 1, {"/usr/sbin/apache2", "-k", "start"});
  run(101, 100, {"/usr/sbin/apache2", "-k", "start"});
  processes_.environments[100] = {"APACHE_RUN_DIR=/run/apache2", "NOTIFY_SOCKET=/run/x",
                                  "LD_PRELOAD=/tmp/x.so", "PATH=/tmp"};
  auto found = running();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].master->pid, 100);
  EXPECT_EQ(found[0].master->name, "USR1");
  EXPECT_EQ(found[0].given.main_file, "/etc/apache2/apache2.conf");
  EXPECT_EQ(found[0].given.environment.at("APACHE_RUN_DIR"), "/run/apache2");
  EXPECT_THAT(found[0].environment,
              ElementsAre("APACHE_RUN_DIR=/run/apache2", kPlainEnvironment[0]))
      << "nobody else tells the service manager anything, and no library obeys it";
}

TEST_F(ApacheDiscoverTest, LeavesOutWhatDoesNotServe) {
  run(100, 1, {"apache2", "-t"});
  run(101, 1, {"apache2", "-D", kRehearsalDefine});
  EXPECT_THAT(running(), IsEmpty());
  EXPECT_THAT(diagnostics_, IsEmpty());
}

TEST_F(ApacheDiscoverTest, NamesASingleProcess) {
  run(100, 1, {"apache2", "-D", "ONE_PROCESS"});
  EXPECT_THAT(running(), IsEmpty());
  EXPECT_EQ(diagnostics_.size(), 1u);
}

TEST_F(ApacheDiscoverTest, FindsAnIdleOneWithItsEnvironment) {
  files_.put("/etc/apache2/envvars", "export APACHE_LOG_DIR=/var/log/apache2\n");
  auto found =
      instance_for("/etc/apache2/apache2.conf", processes_, commands_, files_, diagnostics_);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->master);
  EXPECT_EQ(found->given.environment.at("APACHE_LOG_DIR"), "/var/log/apache2");
}

// The compiled-in path is relative to the ServerRoot, which -d changes.
TEST_F(ApacheDiscoverTest, TheMainFileIsInTheServerRoot) {
  run(100, 1, {"/usr/sbin/apache2", "-d", "/etc/apache2-foo", "-k", "start"});
  run(200, 1, {"/usr/sbin/apache2", "-k", "start"});
  auto found = running();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].given.main_file, "/etc/apache2-foo/apache2.conf");
  EXPECT_EQ(found[0].given.server_root, "/etc/apache2-foo");
  EXPECT_EQ(found[1].given.main_file, "/etc/apache2/apache2.conf");
}

// As Debian starts additional instances.
TEST_F(ApacheDiscoverTest, AnIdleOneBesideTheFirst) {
  files_.put("/etc/apache2-foo/apache2.conf", "");
  files_.put("/etc/apache2-foo/envvars", "SUFFIX=\nexport APACHE_RUN_DIR=/run/apache2$SUFFIX\n");
  auto found =
      instance_for("/etc/apache2-foo/apache2.conf", processes_, commands_, files_, diagnostics_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->given.server_root, "/etc/apache2-foo");
  EXPECT_EQ(found->given.environment.at("APACHE_RUN_DIR"), "/run/apache2-foo");
  EXPECT_EQ(found->given.environment.at("APACHE_CONFDIR"), "/etc/apache2-foo");
  // With another directory and file name, the ServerRoot is the compiled-in one.
  files_.put("/srv/x/site.conf", "");
  found = instance_for("/srv/x/site.conf", processes_, commands_, files_, diagnostics_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->given.server_root, "/etc/apache2");
}

TEST_F(ApacheDiscoverTest, TakesTheOptionsOfGentoo) {
  files_.put("/etc/apache2/httpd.conf", "");
  files_.put("/etc/conf.d/apache2", "# opts\nAPACHE2_OPTS=\"-D SSL -D INFO\"\n");
  auto found = instance_for("/etc/apache2/httpd.conf", processes_, commands_, files_, diagnostics_);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->given.defines, ElementsAre("SSL", "INFO"));
}

TEST_F(ApacheDiscoverTest, OneThatMayNotBeLookedIntoIsNotCalledIdle) {
  run(100, 1, {"apache2"});
  processes_.processes[0].executable.clear();
  auto found =
      instance_for("/etc/apache2/apache2.conf", processes_, commands_, files_, diagnostics_);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::denied);
}

}  // namespace
}  // namespace certrebind::apache
