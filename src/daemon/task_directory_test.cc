#include "daemon/task_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sys/processes.h"
#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kTask = "events = [1001]\ncommand = ['/bin/true']\n";

Task task_called(const std::string& name) {
  Task task;
  task.name = name;
  task.events = {1001};
  task.command = {"/bin/true"};
  return task;
}

class TaskDirectoryTest : public ::testing::Test {
 protected:
  LoadedTasks load(uint32_t user = 0) { return load_tasks(files_, directory_, user); }
  void put(const std::string& name, const std::string& text, uint32_t mode = 0644) {
    files_.put(directory_ + "/" + name, text, mode);
  }
  MemoryFiles files_;
  const std::string directory_ = "/etc/certrebind/tasks.d";
};

TEST_F(TaskDirectoryTest, NoneYet) {
  EXPECT_THAT(load().tasks, IsEmpty());
  EXPECT_THAT(load().errors, IsEmpty());
}

TEST_F(TaskDirectoryTest, ABadFileDoesNotHideTheGoodOnes) {
  put("a.toml", kTask);
  put("b.toml", "events = [1001]\nnonsense = 1\n");
  put("c.toml", kTask);
  put("d.toml.dpkg-old", "= broken");
  put(".e.toml", "= broken");
  LoadedTasks loaded = load();
  ASSERT_THAT(loaded.tasks, SizeIs(2));
  EXPECT_NE(loaded.find("a"), nullptr);
  EXPECT_NE(loaded.find("c"), nullptr);
  EXPECT_EQ(loaded.find("b"), nullptr);
  ASSERT_THAT(loaded.errors, SizeIs(1));
  EXPECT_EQ(loaded.errors[0].subject, directory_ + "/b.toml:2");
}

TEST_F(TaskDirectoryTest, OneNameOnce) {
  put("a.toml", kTask);
  put("b.toml", "name = 'a'\n" + std::string(kTask));
  LoadedTasks loaded = load();
  EXPECT_THAT(loaded.tasks, SizeIs(1));
  ASSERT_THAT(loaded.errors, SizeIs(1));
  EXPECT_EQ(loaded.errors[0].subject, directory_ + "/b.toml");
  EXPECT_THAT(loaded.errors[0].cause, HasSubstr("a.toml has a task 'a' already"));
}

TEST_F(TaskDirectoryTest, AFileThatOthersMayWriteIsRefused) {
  for (uint32_t mode : {0664U, 0646U}) {
    put("a.toml", kTask, mode);
    LoadedTasks loaded = load();
    EXPECT_THAT(loaded.tasks, IsEmpty());
    ASSERT_THAT(loaded.errors, SizeIs(1));
    EXPECT_EQ(loaded.errors[0].code, Code::denied);
    EXPECT_THAT(loaded.errors[0].cause, HasSubstr("may write it"));
    EXPECT_THAT(loaded.errors[0].hint, HasSubstr("chmod go-w"));
  }
}

TEST_F(TaskDirectoryTest, ALinkIsJudgedByWhereItLeads) {
  files_.put("/home/eve/evil.toml", kTask, 0666);
  files_.put("/srv/good.toml", kTask);
  put("other.toml", kTask);
  files_.put_link(directory_ + "/evil.toml", "/home/eve/evil.toml");
  files_.put_link(directory_ + "/good.toml", "/srv/good.toml");
  LoadedTasks loaded = load();
  EXPECT_THAT(loaded.tasks, SizeIs(2));
  ASSERT_THAT(loaded.errors, SizeIs(1));
  EXPECT_EQ(loaded.errors[0].subject, "/home/eve/evil.toml");
}

TEST_F(TaskDirectoryTest, AddsDurablyAndOnce) {
  files_.put("/etc/certrebind/certrebind.toml", "");
  ASSERT_TRUE(add_task(files_, directory_, 0, task_called("a")));
  files_.crash([] { return false; });
  LoadedTasks loaded = load();
  ASSERT_THAT(loaded.tasks, SizeIs(1)) << "what was not synced is lost";
  EXPECT_EQ(loaded.tasks[0], task_called("a"));
  EXPECT_EQ(files_.stat(directory_ + "/a.toml")->mode, 0644U);
  EXPECT_THAT(*files_.list(directory_), SizeIs(1));
  Done again = add_task(files_, directory_, 0, task_called("a"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::exists);
}

TEST_F(TaskDirectoryTest, ANameInAnotherFileIsTakenToo) {
  put("x.toml", "name = 'a'\n" + std::string(kTask));
  EXPECT_EQ(add_task(files_, directory_, 0, task_called("a")).error().code, Code::exists);
  // A file that cannot be read as a task is not overwritten either.
  put("b.toml", "= broken");
  EXPECT_EQ(add_task(files_, directory_, 0, task_called("b")).error().code, Code::exists);
  EXPECT_EQ(*files_.read(directory_ + "/b.toml", kPemLimit), "= broken");
}

TEST_F(TaskDirectoryTest, WhateverFailsLeavesNoHalfTask) {
  for (int nth = 1; nth < 12; ++nth) {
    MemoryFiles files;
    files.put("/etc/certrebind/certrebind.toml", "");
    FaultyFiles faulty(files, nth, FaultyFiles::Fault::once, 28);
    Done done = add_task(faulty, directory_, 0, task_called("a"));
    LoadedTasks loaded = load_tasks(files, directory_, 0);
    EXPECT_THAT(loaded.errors, IsEmpty()) << nth;
    EXPECT_LE(done ? 1U : 0U, loaded.tasks.size()) << nth;
  }
}

TEST_F(TaskDirectoryTest, Removes) {
  put("a.toml", kTask);
  put("x.toml", "name = 'b'\n" + std::string(kTask));
  put("bad.toml", "= broken");
  for (const char* name : {"a", "b", "bad"}) {
    ASSERT_TRUE(remove_task(files_, directory_, 0, name)) << name;
    EXPECT_EQ(remove_task(files_, directory_, 0, name).error().code, Code::not_found);
  }
  EXPECT_EQ(remove_task(files_, directory_, 0, "../x").error().code, Code::not_found);
  EXPECT_THAT(*files_.list(directory_), IsEmpty());
}

TEST(TaskDirectoryOnDisk, ADirectoryThatOthersMayWriteIsRefused) {
  TemporaryDirectory place;
  Disk disk;
  std::string directory = place.path() + "/tasks.d";
  ASSERT_TRUE(disk.make_directory(directory, 0777));
  ASSERT_TRUE(disk.create(directory + "/a.toml", kTask, {}, {}));
  LoadedTasks loaded = load_tasks(disk, directory, own_user());
  EXPECT_THAT(loaded.tasks, IsEmpty());
  ASSERT_THAT(loaded.errors, SizeIs(1));
  EXPECT_EQ(loaded.errors[0].subject, directory);
  EXPECT_FALSE(add_task(disk, directory, own_user(), task_called("b")));
  EXPECT_THAT(*disk.list(directory), SizeIs(1));
}

TEST(TaskDirectoryOnDisk, SoIsAFileOfSomebodyElse) {
  TemporaryDirectory place;
  Disk disk;
  std::string directory = place.path() + "/tasks.d";
  ASSERT_TRUE(disk.make_directory(directory, 0755));
  ASSERT_TRUE(disk.create(directory + "/a.toml", kTask, {}, {}));
  EXPECT_THAT(load_tasks(disk, directory, own_user()).tasks, SizeIs(1));
  if (own_user() != 0) return;  // only root can change a file's owner
  ASSERT_TRUE(disk.remove(directory + "/a.toml"));
  Attributes attributes;
  attributes.mode = 0644;
  attributes.owner = 65534;
  ASSERT_TRUE(disk.create(directory + "/a.toml", kTask, attributes, {}));
  LoadedTasks loaded = load_tasks(disk, directory, 0);
  EXPECT_THAT(loaded.tasks, IsEmpty());
  ASSERT_THAT(loaded.errors, SizeIs(1));
  EXPECT_THAT(loaded.errors[0].cause, HasSubstr("belongs to user 65534"));
}

}  // namespace
}  // namespace certrebind
