#include "service/described/description.h"

#include <gtest/gtest.h>

#include "service/described/builtin.h"

namespace certrebind::described {
namespace {

constexpr const char* kGood = R"(kind = "mail"
title = "Mail"
[process]
executables = ["maild"]
[[read]]
format = "assignments"
[[listener]]
port = "{port|25}"
start_tls = "smtp"
[[certificate]]
certificate = "cert"
[[reload]]
signal = "HUP"
)";

std::string with(const std::string& text, const std::string& old, const std::string& by) {
  std::string changed = text;
  changed.replace(changed.find(old), old.size(), by);
  return changed;
}

TEST(Description, IsRead) {
  auto read = parse_description("/etc/x.toml", kGood);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->kind, "mail");
  EXPECT_EQ(read->listeners.front().port, "{port|25}");
  EXPECT_EQ(read->reloads.front().kind, ReloadDescription::Kind::signal);
  EXPECT_EQ(read->on_bad_certificate, OnBadCertificate::keeps_old);
}

struct Mistake {
  const char* old;
  const char* by;
  const char* says;
};

class DescriptionMistake : public testing::TestWithParam<Mistake> {};

TEST_P(DescriptionMistake, NamesLineAndField) {
  auto read = parse_description("/etc/x.toml", with(kGood, GetParam().old, GetParam().by));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::usage);
  EXPECT_NE(read.error().message().find(GetParam().says), std::string::npos)
      << read.error().message();
  EXPECT_TRUE(read.error().subject.starts_with("/etc/x.toml:")) << read.error().subject;
}

INSTANTIATE_TEST_SUITE_P(
    All, DescriptionMistake,
    testing::Values(
        Mistake{"kind = \"mail\"", "kind = \"Mail Server\"", "'kind' must be"},
        Mistake{"[[listener]]\nport", "[[listener]]\nprot", "unknown setting 'prot'"},
        Mistake{"start_tls = \"smtp\"", "start_tls = \"smpt\"", "'smpt' is not a known"},
        Mistake{"signal = \"HUP\"", "signal = \"KILL\"", "'KILL' is not a signal"},
        Mistake{"signal = \"HUP\"", "seconds = 3", "must have one of"},
        Mistake{"signal = \"HUP\"", "signal = \"HUP\"\nper_connection = true", "must have one of"},
        Mistake{"signal = \"HUP\"", "socket = \"/run/x\"\nsay = \"reload\"",
                "must be given together"},
        Mistake{"signal = \"HUP\"", "commands = [\"a\"]", "list of argument lists"},
        Mistake{"signal = \"HUP\"", "signal = \"HUP\"\nas_root = true", "'as_root' must"},
        Mistake{"certificate = \"cert\"", "certificate = \"c\"\nkey_beside = [\"a\"]", "two texts"},
        Mistake{"certificate = \"cert\"", "certificate = \"c\"\nhosts = \"{h}\"", "'hosts' must"},
        Mistake{"\"assignments\"", "\"ini\"\nas_root = true", "'as_root' must"},
        Mistake{"\"assignments\"", "\"xml\"", "'xml' is not a valid 'format'"},
        Mistake{"certificate = \"cert\"", "key = \"k\"", "'certificate' must be given"},
        Mistake{"certificate = \"cert\"", "certificate = \"c\"\ngroup = \"a\"",
                "no [[listener]] shows the certificates of group 'a'"},
        Mistake{"[[reload]]", "[[scope]]\naddress = \"{section}\"\n[[reload]]",
                "[[scope]] must name a 'section'"},
        Mistake{"[[reload]]", "[[scope]]\nsection = \"a\"\n[[reload]]",
                "must have one of 'listeners', 'address'"},
        Mistake{"\"cert\"", "\"cert\"\nlisteners = \"*\"", "'listeners' needs 'names'"},
        Mistake{"\"cert\"", "\"cert\"\nclient = true\nnames = \"{n}\"", "with 'client' no name"},
        Mistake{"[[read]]", "units = [\"mail\"]\nunit_reload = \"unsafe\"\n[[read]]",
                "'unit_reload' and 'unit_reload_why' must"},
        Mistake{"[[read]]", "units = [\"mail\"]\nunit_reload = \"bad\"\n[[read]]",
                "'bad' is not a valid 'unit_reload'"},
        Mistake{"[[read]]", "unit_reload = \"unsafe\"\nunit_reload_why = \"HUP\"\n[[read]]",
                "'unit_reload' needs 'units'"},
        Mistake{"[[read]]", "only_in_units = true\n[[read]]", "'only_in_units' needs 'units'"},
        Mistake{"{port|25}", "{port|25", "'port': a brace is not closed"},
        Mistake{"\"assignments\"", "\"lookup table\"\ncompiled = [\"hash\"]",
                "'compiled' and 'rebuild' must be given together"},
        Mistake{"\"assignments\"",
                "\"lookup table\"\ncompiled = [\"hash\"]\nrebuild = [\"postmap\"]",
                "each [[reload]] must have 'commands'"},
        Mistake{"[[reload]]\nsignal = \"HUP\"", "", "there is no [[reload]]"},
        Mistake{"kind = \"mail\"", "kind = ", ":1"}));

TEST(Description, OfTheProductAreGood) {
  ASSERT_FALSE(builtin_descriptions().empty());
  for (const BuiltinDescription& builtin : builtin_descriptions()) {
    auto read = parse_description(builtin.file, builtin.text);
    EXPECT_TRUE(read) << read.error().message();
  }
}

}  // namespace
}  // namespace certrebind::described
