#include "sys/replace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <random>

#include "base/text.h"
#include "sys/faulty_files.h"
#include "sys/memory_files.h"

namespace certrebind {
namespace {

const std::vector<std::string> kPaths = {"/etc/ssl/certs/a.pem", "/etc/ssl/private/a.key",
                                         "/etc/nginx/a.conf"};

std::string old_content(size_t index) {
  return "old " + std::to_string(index);
}
std::string new_content(size_t index) {
  return "new " + std::to_string(index);
}

MemoryFiles disk_of(size_t count) {
  MemoryFiles files;
  for (size_t i = 0; i < count; ++i) files.put(kPaths[i], old_content(i), 0640);
  return files;
}

// The second file is staged above its directory, as if a server reads all files of it.
std::string staging_of(size_t i) {
  return i == 1 ? "/etc/ssl" : parent_directory(kPaths[i]);
}
std::vector<StagedFile> whole_of(size_t count) {
  std::vector<StagedFile> whole;
  for (size_t i = 0; i < count; ++i) whole.push_back({kPaths[i], staging_of(i)});
  return whole;
}

// The content of the staging directories, without the files.
std::vector<std::string> leftovers(const MemoryFiles& files) {
  std::vector<std::string> found;
  for (const StagedFile& file : whole_of(kPaths.size())) {
    auto names = files.list(file.staging);
    if (!names) continue;
    for (const std::string& name : *names)
      if (name.starts_with(".certrebind-")) found.push_back(file.staging + "/" + name);
  }
  return found;
}

// The replacements from the current content to `content`.
std::vector<Replacement> towards(Files& files, size_t count, std::string (*content)(size_t index)) {
  std::vector<Replacement> replacements;
  for (size_t i = 0; i < count; ++i)
    replacements.push_back({.number = i,
                            .path = kPaths[i],
                            .staging = staging_of(i),
                            .expected = files.read(kPaths[i], kPemLimit).value(),
                            .bytes = content(i),
                            .attributes = files.attributes(kPaths[i]).value()});
  return replacements;
}

// "old", "new", or "between" with the content found.
std::string state_of(const Files& files, size_t count) {
  size_t old_ones = 0, new_ones = 0;
  for (size_t i = 0; i < count; ++i) {
    auto bytes = files.read(kPaths[i], kPemLimit);
    if (!bytes) return "between: " + bytes.error().message();
    old_ones += *bytes == old_content(i);
    new_ones += *bytes == new_content(i);
  }
  if (old_ones == count) return "old";
  return new_ones == count ? "new" : "between";
}

Done replace(Files& files, const std::string& name, size_t count,
             std::string (*content)(size_t index)) {
  ReplaceSet set(files, name, staging_of(0), towards(files, count, content));
  if (Done staged = set.stage(); !staged) return staged;
  if (Done swapped = set.swap(); !swapped) return swapped;
  return remove_leftovers(files, name, whole_of(count));
}

// Checks the set of files after every writing call.
class WatchedFiles final : public Files {
 public:
  WatchedFiles(Files& beneath, size_t count) : beneath_(beneath), count_(count) {}
  std::vector<std::string> seen;
  std::function<void(int)> after;  // called after each writing call, counted from 1

  Result<std::string> read(const std::string& p, size_t n) const override {
    return beneath_.read(p, n);
  }
  Result<std::string> read_from(const std::string& p, uint64_t offset, size_t n) const override {
    return beneath_.read_from(p, offset, n);
  }
  Result<FileInfo> stat(const std::string& p) const override { return beneath_.stat(p); }
  Result<FileInfo> lstat(const std::string& p) const override { return beneath_.lstat(p); }
  Result<std::string> read_link(const std::string& p) const override {
    return beneath_.read_link(p);
  }
  Result<std::string> real_path(const std::string& p) const override {
    return beneath_.real_path(p);
  }
  Result<std::vector<std::string>> list(const std::string& p) const override {
    return beneath_.list(p);
  }
  Result<Attributes> attributes(const std::string& p) const override {
    return beneath_.attributes(p);
  }
  Done create(const std::string& p, const std::string& b, const Attributes& a,
              std::optional<int64_t> m) override {
    return look(beneath_.create(p, b, a, m));
  }
  Done link(const std::string& a, const std::string& b) override {
    return look(beneath_.link(a, b));
  }
  Done symlink(const std::string& a, const std::string& b) override {
    return look(beneath_.symlink(a, b));
  }
  Done rename(const std::string& a, const std::string& b) override {
    return look(beneath_.rename(a, b));
  }
  Done exchange(const std::string& a, const std::string& b) override {
    return look(beneath_.exchange(a, b));
  }
  Done remove(const std::string& p) override { return look(beneath_.remove(p)); }
  Done make_directory(const std::string& p, uint32_t m) override {
    return look(beneath_.make_directory(p, m));
  }
  Done sync(const std::vector<std::string>& p) override { return look(beneath_.sync(p)); }

 private:
  Done look(Done outcome) {
    std::string state = state_of(beneath_, count_);
    if (seen.empty() || seen.back() != state) seen.push_back(state);
    if (after) after(++calls_);
    return outcome;
  }
  Files& beneath_;
  size_t count_;
  int calls_ = 0;
};

class Replace : public testing::TestWithParam<std::tuple<size_t, bool>> {
 protected:
  size_t count() const { return std::get<0>(GetParam()); }
  MemoryFiles disk() const {
    MemoryFiles files = disk_of(count());
    files.can_exchange = std::get<1>(GetParam());
    return files;
  }
};

INSTANTIATE_TEST_SUITE_P(Sets, Replace,
                         testing::Combine(testing::Values(1, 2, 3), testing::Bool()));

TEST_P(Replace, ReplacesAllAndLeavesNothingBehind) {
  MemoryFiles files = disk();
  ASSERT_TRUE(replace(files, "7", count(), new_content));
  EXPECT_EQ(state_of(files, count()), "new");
  for (const auto& [path, staging] : whole_of(count())) {
    EXPECT_EQ(files.lstat(path)->kind, FileKind::regular);
    EXPECT_EQ(files.attributes(path)->mode, 0640u);
    EXPECT_EQ(files.list(path.substr(0, path.rfind('/')))->size(), 1u);
  }
}

TEST_P(Replace, ReadersSeeOldThenNewAndNothingElse) {
  MemoryFiles files = disk();
  WatchedFiles watched(files, count());
  ASSERT_TRUE(replace(watched, "7", count(), new_content));
  EXPECT_EQ(watched.seen, (std::vector<std::string>{"old", "new"}));
}

TEST_P(Replace, PowerFailureAtEveryWriteLeavesOldOrNewAndRestores) {
  for (int nth = 1;; ++nth) {
    MemoryFiles files = disk();
    FaultyFiles faulty(files, nth, FaultyFiles::Fault::power, 0);
    bool finished = false;
    try {
      finished = replace(faulty, "7", count(), new_content).has_value();
    } catch (const PowerFailure&) {
    }
    // Three outcomes for unsynced data: all lost, all kept, or any part kept.
    for (unsigned seed = 0; seed < 12; ++seed) {
      std::mt19937 random(seed);
      MemoryFiles after = files;
      after.crash([&] { return seed == 0 ? false : seed == 1 ? true : random() % 2 == 0; });
      ASSERT_THAT((std::vector<std::string>{"old", "new"}),
                  testing::Contains(state_of(after, count())))
          << "write " << nth << ", seed " << seed;
      Done back = replace(after, "7-restore", count(), old_content);
      ASSERT_TRUE(back) << back.error().message();
      ASSERT_TRUE(remove_leftovers(after, "7", whole_of(count())));
      EXPECT_EQ(state_of(after, count()), "old");
      EXPECT_THAT(leftovers(after), testing::IsEmpty());
    }
    if (finished) break;
  }
}

TEST_P(Replace, EveryFailureOnceOrForEverLeavesOldOrNew) {
  for (auto fault : {FaultyFiles::Fault::once, FaultyFiles::Fault::for_ever}) {
    for (int nth = 1;; ++nth) {
      MemoryFiles files = disk();
      FaultyFiles faulty(files, nth, fault, ENOSPC);
      Done outcome = replace(faulty, "7", count(), new_content);
      ASSERT_THAT((std::vector<std::string>{"old", "new"}),
                  testing::Contains(state_of(files, count())));
      if (outcome && faulty.calls() < nth) break;
      ASSERT_TRUE(replace(files, "7-restore", count(), old_content)) << nth;
      ASSERT_TRUE(remove_leftovers(files, "7", whole_of(count()))) << nth;
      EXPECT_EQ(state_of(files, count()), "old");
    }
  }
}

TEST_P(Replace, AnEditBeforeStagingIsARace) {
  MemoryFiles files = disk();
  ReplaceSet set(files, "7", staging_of(0), towards(files, count(), new_content));
  files.put(kPaths[0], "the administrator's");
  Done staged = set.stage();
  ASSERT_FALSE(staged);
  EXPECT_THAT(staged.error().cause, testing::HasSubstr("somebody changed it"));
  EXPECT_EQ(files.read(kPaths[0], kPemLimit).value(), "the administrator's");
}

TEST_P(Replace, AnEditBetweenStagingAndSwappingIsKept) {
  MemoryFiles files = disk();
  ReplaceSet set(files, "7", staging_of(0), towards(files, count(), new_content));
  ASSERT_TRUE(set.stage());
  ASSERT_TRUE(files.create("/etc/ssl/certs/theirs", "the administrator's", {}, std::nullopt));
  ASSERT_TRUE(files.rename("/etc/ssl/certs/theirs", kPaths[0]));
  Done swapped = set.swap();
  ASSERT_FALSE(swapped);
  EXPECT_THAT(swapped.error().cause, testing::HasSubstr("somebody changed it"));
  EXPECT_EQ(files.read(kPaths[0], kPemLimit).value(), "the administrator's");
}

TEST_P(Replace, AnEditAfterStagingIsSeenBeforeAnythingIsTouched) {
  MemoryFiles files = disk();
  ReplaceSet set(files, "7", staging_of(0), towards(files, count(), new_content));
  ASSERT_TRUE(set.stage());
  EXPECT_TRUE(set.look_again());
  files.overwrite(kPaths[count() - 1], "the administrator's");
  Done same = set.look_again();
  ASSERT_FALSE(same);
  EXPECT_THAT(same.error().cause, testing::HasSubstr("somebody changed it"));
  EXPECT_THAT(same.error().message(), testing::HasSubstr(kPaths[count() - 1]));
}

// Another program writes the last file after any of our calls. Its content must be there at the
// end, whether we noticed it or had already finished.
class AnyMoment : public testing::TestWithParam<void (*)(MemoryFiles&, const std::string&)> {};

TEST_P(AnyMoment, SomebodyElsesWriteIsNeverLost) {
  constexpr size_t kCount = 3;
  bool all_seen = false;
  int failures = 0;
  for (int moment = 1; !all_seen; ++moment) {
    SCOPED_TRACE(moment);
    MemoryFiles files = disk_of(kCount);
    std::vector<Replacement> wanted = towards(files, kCount, new_content);
    WatchedFiles watched(files, kCount);
    all_seen = true;
    watched.after = [&](int call) {
      if (call != moment) return;
      all_seen = false;
      GetParam()(files, kPaths[2]);
    };
    ReplaceSet set(watched, "7", staging_of(0), wanted);
    Done done = set.stage();
    if (done) done = set.swap();
    watched.after = {};
    ASSERT_EQ(files.read(kPaths[2], kPemLimit).value(), all_seen ? "new 2" : "theirs");
    // Does as the transaction does: reverts the other files, keeps the other program's content, and
    // leaves nothing else.
    if (!done) {
      ++failures;
      std::vector<Replacement> back = towards(files, kCount, old_content);
      back[2].bytes = "theirs";
      ReplaceSet again(files, "8", staging_of(0), back);
      ASSERT_TRUE(again.stage());
      ASSERT_TRUE(again.swap());
      ASSERT_TRUE(remove_leftovers(files, "8", whole_of(kCount)));
    }
    ASSERT_TRUE(remove_leftovers(files, "7", whole_of(kCount)));
    EXPECT_EQ(files.read(kPaths[0], kPemLimit).value(), done ? "new 0" : "old 0");
    EXPECT_EQ(files.lstat(kPaths[2])->kind, FileKind::regular);
    for (const auto& [path, staging] : whole_of(kCount))
      EXPECT_EQ(files.list(path.substr(0, path.rfind('/')))->size(), 1u) << path;
  }
  EXPECT_GT(failures, 5) << "some of them came before we were done";
}

void rename_over(MemoryFiles& files, const std::string& path) {
  const std::string beside = path + ".theirs";
  ASSERT_TRUE(files.create(beside, "theirs", {}, std::nullopt));
  ASSERT_TRUE(files.rename(beside, path));
}

void write_into(MemoryFiles& files, const std::string& path) {
  files.overwrite(path, "theirs");
}

INSTANTIATE_TEST_SUITE_P(Replace, AnyMoment, testing::Values(rename_over, write_into));

// A path is resolved link by link. A reader that read our link before the last step must still
// reach the file.
TEST(ReplaceSet, WhoIsOnTheWayThroughThePivotArrives) {
  constexpr size_t kCount = 2;
  MemoryFiles files = disk_of(kCount);
  WatchedFiles watched(files, kCount);
  ReplaceSet set(watched, "7", staging_of(0), towards(files, kCount, new_content));
  ASSERT_TRUE(set.stage());
  bool went = false;
  watched.after = [&](int) {
    if (files.lstat(kPaths[1])->kind != FileKind::symlink) return;
    went = true;
    ASSERT_TRUE(files.read("/etc/ssl/certs/.certrebind-7/now/1", kPemLimit));
  };
  ASSERT_TRUE(set.swap());
  EXPECT_TRUE(went);
  EXPECT_EQ(files.read("/etc/ssl/certs/.certrebind-7/now/1", kPemLimit).value(), "new 1");
}

TEST_P(Replace, TheNewFileIsNewerByASecond) {
  MemoryFiles files = disk();
  int64_t before = files.stat(kPaths[0])->modified_ns;
  ASSERT_TRUE(replace(files, "7", count(), new_content));
  EXPECT_GE(files.stat(kPaths[0])->modified_ns, before + 1'000'000'000);
}

TEST(ReplaceSet, APartOfTheWholeIsCleanedUpByTheWhole) {
  MemoryFiles files = disk_of(3);
  std::vector<Replacement> part = towards(files, 3, new_content);
  part.erase(part.begin());
  ReplaceSet set(files, "7", staging_of(0), part);
  ASSERT_TRUE(set.stage());
  ASSERT_TRUE(set.swap());
  ASSERT_TRUE(remove_leftovers(files, "7", whole_of(3)));
  EXPECT_EQ(files.read(kPaths[0], kPemLimit).value(), "old 0");
  EXPECT_EQ(files.read(kPaths[2], kPemLimit).value(), "new 2");
  EXPECT_THAT(leftovers(files), testing::IsEmpty());
}

TEST(RemoveLeftovers, RefusesWhileAFileIsALinkIntoThePivot) {
  MemoryFiles files = disk_of(2);
  files.put_link(kPaths[0], "../certs/.certrebind-7/now/0");
  EXPECT_FALSE(remove_leftovers(files, "7", whole_of(2)));
}

TEST(StagingDirectory, LiesAboveWhatAServerReadsWhole) {
  MemoryFiles files;
  files.put("/etc/httpd/sites/a/b.conf", "");
  const std::string path = "/etc/httpd/sites/a/b.conf";
  EXPECT_EQ(*staging_directory(files, path, {}), "/etc/httpd/sites/a");
  EXPECT_EQ(*staging_directory(files, path, {"/etc/other"}), "/etc/httpd/sites/a");
  EXPECT_EQ(*staging_directory(files, path, {"/etc/httpd/sites/a"}), "/etc/httpd/sites");
  EXPECT_EQ(*staging_directory(files, path, {"/etc/httpd/sites/a", "/etc/httpd/sites"}),
            "/etc/httpd");
  EXPECT_EQ(*staging_directory(files, path, {"/etc/httpd", "/etc/httpd/sites/a"}), "/etc");
}

}  // namespace
}  // namespace certrebind
