#include "service/nginx/name_table.h"

#include <gtest/gtest.h>

namespace certrebind::nginx {
namespace {

// Adds each name for its own server, numbered from 0. Returns the names that were ignored.
std::string ignored(NameTable& table, std::initializer_list<const char*> names) {
  std::string all;
  uint32_t server = 0;
  for (const char* name : names)
    if (!table.add(name, server++)) all += std::string(name) + " ";
  return all;
}

// All expectations were observed with nginx 1.22.1.
TEST(NameTable, PrefersExactThenHeadThenTail) {
  NameTable table;
  EXPECT_EQ(ignored(table, {"www.*", "*.example.com", "www.example.com", "www.example.*"}), "");
  EXPECT_EQ(table.find("www.example.com"), 2u);
  EXPECT_EQ(table.find("a.b.example.com"), 1u);
  EXPECT_EQ(table.find("www.example.org"), 3u);
  EXPECT_EQ(table.find("www.x"), 0u);
  EXPECT_EQ(table.find("www"), std::nullopt);
  EXPECT_EQ(table.find("example.com"), std::nullopt);
}

TEST(NameTable, TakesTheLongestWildcard) {
  NameTable table;
  ignored(table, {"*.com", "*.example.com", ".b.example.com"});
  EXPECT_EQ(table.find("x.com"), 0u);
  EXPECT_EQ(table.find("a.example.com"), 1u);
  EXPECT_EQ(table.find("b.example.com"), 2u);
}

TEST(NameTable, LosesADottedNameToAnEarlierExactOne) {
  NameTable table;
  EXPECT_EQ(ignored(table, {"example.com", ".example.com"}), ".example.com ");
  EXPECT_EQ(table.find("a.example.com"), std::nullopt);
}

TEST(NameTable, LosesAnExactNameToAnEarlierDottedOne) {
  NameTable table;
  EXPECT_EQ(ignored(table, {".example.com", "example.com", "*.example.com"}),
            "example.com *.example.com ");
  EXPECT_EQ(table.find("example.com"), 0u);
}

TEST(NameTable, KeepsANameThatADottedOneTookInVain) {
  NameTable table;
  EXPECT_EQ(ignored(table, {"*.example.com", ".example.com", "example.com"}),
            ".example.com example.com ");
  EXPECT_EQ(table.find("example.com"), std::nullopt);
  EXPECT_EQ(table.find("a.example.com"), 0u);
}

}  // namespace
}  // namespace certrebind::nginx
