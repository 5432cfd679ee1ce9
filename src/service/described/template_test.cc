#include "service/described/template.h"

#include <gtest/gtest.h>

namespace certrebind::described {
namespace {

class TemplateTest : public testing::Test {
 protected:
  TemplateTest() {
    tree_.sections[0].settings = {{"ssl", "yes", {}, ""}, {"listen", "*", {}, ""}};
    section_ = tree_.open(0, "inet_listener", "imaps x");
    tree_.sections[section_].settings = {
        {"port", "993", {}, ""},  {"ssl", "no", {}, ""}, {"h", "ldap:/// ldapi:///", {}, ""},
        {"on.a", "1, 2", {}, ""}, {"on.b", "3", {}, ""}, {"h", "ldaps:///", {}, ""}};
  }
  std::string expand(std::string_view text) const {
    return Template(tree_, fixed_).expand(text, section_);
  }
  bool holds(std::string_view condition) const {
    return Template(tree_, fixed_).holds(condition, section_);
  }

  SettingsTree tree_;
  std::map<std::string, std::string> fixed_ = {{"configuration", "/etc/x"}};
  size_t section_ = 0;
};

TEST_F(TemplateTest, Expands) {
  EXPECT_EQ(expand("{listen}:{port}"), "*:993");
  EXPECT_EQ(expand("{.listen|none}"), "none");
  EXPECT_EQ(expand("{/ssl} {ssl}"), "yes no");
  EXPECT_EQ(expand("{absent|{also|{port}}}"), "993");
  EXPECT_EQ(expand("{section} {section 2}"), "imaps x x");
  EXPECT_EQ(expand("-c {configuration}"), "-c /etc/x");
  EXPECT_EQ(expand("{open"), "{open");
  EXPECT_EQ(expand("{section 9}"), "");
}

TEST_F(TemplateTest, TakesTheWordsThatFit) {
  EXPECT_EQ(expand("{h ldap*:///}"), "ldapi:/// ldaps:///");
  EXPECT_EQ(expand("{h ldap:*}"), "ldap:///");
  EXPECT_EQ(expand("{h smtp:*|none}"), "none");
  EXPECT_EQ(expand("{h *}"), "ldap:/// ldapi:/// ldaps:///");
  EXPECT_EQ(expand("{on.*}"), "1 2 3");
  EXPECT_EQ(expand("{h *i{absent|:}*|x|y}"), "ldapi:///");
  EXPECT_EQ(expand("{h *i{absent|x}*|x|y}"), "x|y");
  EXPECT_EQ(expand("{on.* 3*|none}"), "none") << "* stands for one byte at least";
}

TEST_F(TemplateTest, ChoosesParts) {
  tree_.sections[section_].settings.push_back({"sni", "web:*.x.test", {}, ""});
  EXPECT_EQ(expand("{sni 1:}-{.sni 2:}"), "web-*.x.test");
  EXPECT_EQ(expand("{sni 3:}"), "");
}

TEST_F(TemplateTest, TestsConditions) {
  EXPECT_TRUE(holds("port"));
  EXPECT_FALSE(holds("!port"));
  EXPECT_TRUE(holds("!absent"));
  EXPECT_TRUE(holds("ssl = no|false"));
  EXPECT_TRUE(holds("/ssl != no"));
  EXPECT_FALSE(holds("port != 993"));
  EXPECT_TRUE(holds("absent != x"));
  EXPECT_TRUE(holds("section ~ imaps"));
  EXPECT_FALSE(holds("section ~ imap"));
  EXPECT_TRUE(holds("absent or port"));
  EXPECT_FALSE(holds("absent or port != 993"));
}

TEST_F(TemplateTest, ComparesVersions) {
  tree_.version = "2.3.19.1";
  EXPECT_EQ(expand("{version}"), "2.3.19.1");
  EXPECT_TRUE(holds("version < 2.4"));
  EXPECT_TRUE(holds("version < 2.10"));
  EXPECT_TRUE(holds("version >= 2.3.19"));
  EXPECT_FALSE(holds("version >= 2.4"));
  EXPECT_FALSE(holds("absent < 1"));
  EXPECT_FALSE(holds("absent >= 0"));
  tree_.version = "2.10";
  EXPECT_TRUE(holds("version >= 2.4"));
}

TEST_F(TemplateTest, AVersionIsASettingWhereNoProgramIsAsked) {
  tree_.sections[0].settings.push_back({"version", "0.1", {}, ""});
  EXPECT_EQ(expand("{version}"), "0.1");
}

}  // namespace
}  // namespace certrebind::described
