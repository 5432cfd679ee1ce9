#include "cli/layout.h"

#include <gtest/gtest.h>

namespace certrebind {
namespace {

TEST(Columns, CharactersWithoutColours) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("\x1b[31mä\x1b[0m…"), 2U);
  EXPECT_EQ(columns_of("\x1b[31"), 0U);
}

TEST(Wrapped, AtBlanks) {
  EXPECT_EQ(wrapped("one two three\nfour\n", 9), "one two\n  three\nfour\n");
  EXPECT_EQ(wrapped("fits", 4), "fits");
  EXPECT_EQ(wrapped("", 4), "");
  EXPECT_EQ(wrapped("\n\n", 4), "\n\n");
}

TEST(Wrapped, UnderTheTextBehindAGap) {
  EXPECT_EQ(wrapped("OK  one two three four", 14), "OK  one two\n    three four");
  EXPECT_EQ(wrapped("  one two three four", 12), "  one two\n    three\n    four");
}

TEST(Wrapped, AWiderWordIsNotBroken) {
  EXPECT_EQ(wrapped("in /a/very/long/path/indeed it is", 10),
            "in\n  /a/very/long/path/indeed\n  it is");
}

TEST(Wrapped, WhatIsPastedStaysWhole) {
  EXPECT_EQ(wrapped("  next: certrebind rebind old new", 12), "  next: certrebind rebind old new");
}

TEST(TableText, PadsAllButTheLast) {
  EXPECT_EQ(table_text({{"NAME", "STATE"}, {"a.test", "ok"}, {"b", "expired"}}, 80),
            "NAME    STATE\na.test  ok\nb       expired\n");
}

TEST(TableText, TheLastColumnsGoToALineOfTheirOwn) {
  EXPECT_EQ(table_text({{"NAME", "STATE", "PATH"}, {"a.test", "ok", "/a/long/path"}}, 20),
            "NAME    STATE  PATH\na.test  ok\n    /a/long/path\n");
}

TEST(TableText, PadsByCharacters) {
  EXPECT_EQ(table_text({{"N", "S"}, {"ä", "ok"}}, 80), "N  S\nä  ok\n");
}

}  // namespace
}  // namespace certrebind
