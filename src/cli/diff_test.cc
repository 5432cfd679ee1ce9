#include "cli/diff.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/text.h"

namespace certrebind {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// Applies the diff as patch(1) does: every removed or kept line must be present.
std::string patched(const std::string& before, const std::string& diff) {
  std::vector<std::string> old_lines = lines_of(before), result;
  size_t at = 0;
  for (const std::string& line : lines_of(diff)) {
    if (line.starts_with("---") || line.starts_with("+++")) continue;
    if (line.starts_with("@@ -")) {
      auto begin = static_cast<size_t>(std::stoul(line.substr(4)));
      while (at + 1 < begin) result.push_back(old_lines.at(at++));
      continue;
    }
    if (line.at(0) != '+') {
      EXPECT_EQ(old_lines.at(at), line.substr(1));
      ++at;
    }
    if (line.at(0) != '-') result.push_back(line.substr(1));
  }
  while (at < old_lines.size()) result.push_back(old_lines[at++]);
  std::string text;
  for (const std::string& line : result) text += line + "\n";
  return text;
}

TEST(UnifiedDiff, NothingForEqualTexts) {
  EXPECT_EQ(unified_diff("/c", "a\n", "a\n"), "");
  EXPECT_EQ(unified_diff("/c", "", ""), "");
}

TEST(UnifiedDiff, OneLineInItsContext) {
  EXPECT_EQ(unified_diff("/c", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
            "--- /c\n+++ /c\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(UnifiedDiff, NeighboursAreOneHunkAndDistantOnesTwo) {
  std::string before, near, far;
  for (int i = 1; i <= 30; ++i) {
    std::string line = std::to_string(i) + "\n";
    before += line;
    near += i == 5 || i == 11 ? "x" + line : line;
    far += i == 5 || i == 25 ? "x" + line : line;
  }
  auto hunks = [&](const std::string& after) {
    std::string diff = unified_diff("/c", before, after);
    EXPECT_EQ(patched(before, diff), after);
    return split(diff, '@').size() / 4;
  };
  EXPECT_EQ(hunks(near), 1U);
  EXPECT_EQ(hunks(far), 2U);
}

TEST(UnifiedDiff, LinesMadePrintable) {
  EXPECT_EQ(unified_diff("/c\x1b", "a\x1b[31m\n", "b\n"),
            "--- /c\\x1b\n+++ /c\\x1b\n@@ -1,1 +1,1 @@\n-a\\x1b[31m\n+b\n");
}

TEST(UnifiedDiff, FromAndToNothing) {
  EXPECT_EQ(unified_diff("/c", "", "a\n"), "--- /c\n+++ /c\n@@ -0,0 +1,1 @@\n+a\n");
  EXPECT_EQ(unified_diff("/c", "a\n", ""), "--- /c\n+++ /c\n@@ -1,1 +0,0 @@\n-a\n");
}

TEST(UnifiedDiff, TheLastLineWithoutItsEnd) {
  EXPECT_EQ(unified_diff("/c", "a", "b"),
            "--- /c\n+++ /c\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+b\n"
            "\\ No newline at end of file\n");
  EXPECT_NE(unified_diff("/c", "a", "a\n").find("@@"), std::string::npos);
}

TEST(UnifiedDiff, AnythingCanBePatched) {
  std::minstd_rand random(1);
  for (int round = 0; round < 500; ++round) {
    std::string before, after;
    for (size_t count = random() % 40; count > 0; --count) {
      std::string line = std::to_string(random() % 5) + "\n";
      before += line;
      size_t what = random() % 12;
      if (what == 1) after += "new " + line;
      if (what != 0 && what != 1) after += line;
      if (what == 2) after += "more\n";
    }
    EXPECT_EQ(patched(before, unified_diff("/c", before, after)), after);
  }
}

}  // namespace
}  // namespace certrebind
