// Which edits make a described configuration name other files.
#include <gtest/gtest.h>

#include <algorithm>

#include "service/described/described.h"
#include "sys/memory_files.h"
#include "sys/scripted.h"

namespace certrebind::described {
namespace {

struct Case {
  const char* name;
  const char* format;
  const char* settings;  // of [[certificate]]
  std::string before;
  std::string after;  // "" if no edit can be made
  CertificateFiles files = {"/new/c.pem", "/new/k.pem"};
};

class Edits : public testing::TestWithParam<Case> {};

// The text with the edits, from the last to the first.
std::string with(std::string text, std::vector<FileEdit> edits) {
  std::ranges::sort(edits, std::greater(), [](const FileEdit& edit) { return edit.where.begin; });
  for (const FileEdit& edit : edits) {
    const size_t size = edit.where.end - edit.where.begin;
    EXPECT_EQ(text.substr(edit.where.begin, size), edit.expected);
    text.replace(edit.where.begin, size, edit.replacement);
  }
  return text;
}

TEST_P(Edits, NameTheNewFiles) {
  auto description = parse_description("/x.toml", std::string(R"(kind = "x"
title = "X"
may_edit = true
[process]
executables = ["x"]
[[listener]]
port = "443"
[[reload]]
signal = "HUP"
)") + "[[read]]\nformat = \"" + GetParam().format + "\"\n[[certificate]]\n" +
                                                      GetParam().settings);
  ASSERT_TRUE(description) << description.error().message();
  MemoryFiles files;
  ScriptedCommands commands;
  files.put("/etc/x.conf", GetParam().before);
  DescribedService service({.description = std::make_shared<Description>(std::move(*description)),
                            .executable = "/usr/bin/x",
                            .configuration = "/etc/x.conf"},
                           files, commands);
  auto found = service.bindings();
  ASSERT_TRUE(found && !found->bindings.empty());
  auto edits = service.repoint(found->bindings.front(), GetParam().files);
  ASSERT_EQ(edits.has_value(), !GetParam().after.empty()) << (edits ? "" : edits.error().message());
  if (edits)
    EXPECT_EQ(with(GetParam().before, *edits), GetParam().after);
  else
    EXPECT_EQ(edits.error().code, Code::unsupported);
}

constexpr const char* kPair = "certificate = \"cert\"\nkey = \"key\"\n";
constexpr const char* kCombined = "certificate = \"cert\"\n";
constexpr const char* kPrefixed = "certificate = \"cert\"\nkey = \"key\"\nprefix = \"<\"\n";
constexpr const char* kLua = "certificate = \"ssl.certificate\"\nkey = \"ssl.key\"\n";
constexpr const char* kList = "certificate = \"certs\"\nseparator = \" ,\"\n";
constexpr const char* kBeside = "certificate = \"cert\"\nkey_beside = [\".pem\", \".key\"]\n";
constexpr const char* kChain = "certificate = \"cert\"\nkey = \"key\"\nchain = \"chain\"\n";
constexpr const char* kDefault =
    "certificate = \"cert\"\nkey = \"key\"\ndefault_key = \"/etc/k.pem\"\n";
const CertificateFiles kOneFile = {"/new/all.pem", "/new/all.pem"};

INSTANTIATE_TEST_SUITE_P(
    All, Edits,
    testing::Values(
        Case{"plain", "assignments", kPair, "cert = c.pem  # old\nkey = /etc/k.pem\n",
             "cert = /new/c.pem  # old\nkey = /new/k.pem\n"},
        Case{"in quotes", "assignments", kPair, "cert \"/etc/c.pem\"\nkey '/etc/k.pem'\n",
             "cert \"/new/c.pem\"\nkey '/new/k.pem'\n"},
        Case{"the same file", "assignments", kPair, "cert = /a.pem\nkey = /a.pem\n",
             "cert = /new/c.pem\nkey = /new/k.pem\n"},
        Case{"with a prefix", "blocks", kPrefixed, "cert = < /etc/c.pem\nkey = </etc/k.pem\n",
             "cert = < /new/c.pem\nkey = </new/k.pem\n"},
        Case{"Lua", "lua", kLua, "ssl = { certificate = \"/c.pem\"; key = \"/k.pem\" }\n",
             "ssl = { certificate = \"/new/c.pem\"; key = \"/new/k.pem\" }\n"},
        Case{"one of a list", "assignments", kList, "certs = /a.pem, /b.pem\n",
             "certs = /new/all.pem, /b.pem\n", kOneFile},
        Case{"combined", "assignments", kCombined, "cert = /a.pem\n", "cert = /new/all.pem\n",
             kOneFile},
        Case{"two files for one setting", "assignments", kCombined, "cert = /a.pem\n", ""},
        Case{"a key beside it", "assignments", kBeside, "cert = /a.pem\n", ""},
        Case{"twice in a list", "assignments", kList, "certs = /a.pem, /a.pem.old\n", "", kOneFile},
        Case{"YAML", "yaml", kPair, "cert: /c.pem\nkey: /k.pem\n", ""},
        Case{"a chain apart", "assignments", kChain,
             "cert = /c.pem\nkey = /k.pem\nchain = /ca.pem\n", ""},
        Case{"a key that no setting names", "assignments", kDefault, "cert = /c.pem\n", ""},
        Case{"a path with a blank",
             "assignments",
             kPair,
             "cert = /c.pem\nkey = /k.pem\n",
             "",
             {"/new file/c.pem", "/new/k.pem"}},
        Case{"a path that would be a variable",
             "assignments",
             kPair,
             "cert = /c.pem\nkey = /k.pem\n",
             "",
             {"/new/$c.pem", "/new/k.pem"}}),
    [](const testing::TestParamInfo<Case>& each) {
      std::string name = each.param.name;
      std::ranges::replace_if(
          name, [](char c) { return std::isalnum(c) == 0; }, '_');
      return name;
    });

}  // namespace
}  // namespace certrebind::described
