#include "base/text.h"

#include <gtest/gtest.h>

namespace certrebind {
namespace {

TEST(TextTest, WhatATerminalObeysIsShownAsBytes) {
  EXPECT_EQ(printable("a.example"), "a.example");
  EXPECT_EQ(printable("b\xc3\xbc"
                      "cher.example"),
            "b\xc3\xbc"
            "cher.example");
  EXPECT_EQ(printable("a\x1b[2Jb\n"), "a\\x1b[2Jb\\x0a");
  EXPECT_EQ(printable("a\xc2\x9b"
                      "2Jb"),
            "a\\xc2\\x9b2Jb");                   // U+009B, CSI
  EXPECT_EQ(printable("\xc2\xa0"), "\xc2\xa0");  // U+00A0 is a blank
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "gpj"),
            "a\\xe2\\x80\\xaegpj");                         // U+202E
  EXPECT_EQ(printable("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");  // U+2066
  EXPECT_EQ(printable("\xe2\x80\xa6"), "\xe2\x80\xa6");     // an ellipsis
  EXPECT_EQ(printable("\xd8\x9c\x9b"), "\\xd8\\x9c\\x9b");  // U+061C, and no UTF-8
}

TEST(TextTest, LinesKeepTheirEndsTabsAndColours) {
  EXPECT_EQ(printable_lines("a\n\tb\n"), "a\n\tb\n");
  EXPECT_EQ(printable_lines("\x1b[31mred\x1b[0m"), "\x1b[31mred\x1b[0m");
  EXPECT_EQ(printable_lines("\x1b[2J\x1b]0;t\x07\r"), "\\x1b[2J\\x1b]0;t\\x07\\x0d");
  EXPECT_EQ(printable_lines("\x1b["), "\\x1b[");
  EXPECT_EQ(printable_lines("a\xc2\x9bm\xe2\x80\xae"), "a\\xc2\\x9bm\\xe2\\x80\\xae");
}

TEST(TextTest, ASlipIsRecognised) {
  const std::vector<std::string> words = {"expiry_days", "quiet_seconds", "on"};
  EXPECT_EQ(closest_to("expiry_day", words), "expiry_days");
  EXPECT_EQ(closest_to("quiet_secnods", words), "quiet_seconds");
  EXPECT_EQ(closest_to("window", words), "");
  EXPECT_EQ(closest_to("xy", words), "") << "two letters of two";
}

TEST(TextTest, JsonMeansTheSame) {
  EXPECT_EQ(escaped_json("{\n \"a\": \"\xe2\x80\xae\xc2\x9b\x7f\xc3\xbc\"\n}"),
            "{\n \"a\": \"\\u202e\\u009b\\u007f\xc3\xbc\"\n}");
}

TEST(ShellQuoted, OnlyWhereNeeded) {
  EXPECT_EQ(shell_quoted("/etc/ssl/a-b_c.pem"), "/etc/ssl/a-b_c.pem");
  EXPECT_EQ(shell_quoted("a b"), "'a b'");
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  for (const char* word : {"$(id)", "`id`", "a;b", "*", "~root", "=ls", "a\nb", "ä", "a\\b", "#x"})
    EXPECT_EQ(shell_quoted(word), "'" + std::string(word) + "'");
}

}  // namespace
}  // namespace certrebind
