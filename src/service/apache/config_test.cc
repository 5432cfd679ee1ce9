#include "service/apache/config.h"

#include <gmock/gmock.h>

#include "service/apache/view_for_test.h"

namespace certrebind::apache {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> config_lines_of(const std::string& text) {
  View view = View::of(text);
  Config config = view.config();
  EXPECT_THAT(messages(config.diagnostics), IsEmpty());
  return node_lines(config);
}

TEST(ApacheConfig, DecidesConditionsInTheOrderOfReading) {
  EXPECT_THAT(
      config_lines_of(
          "<IfModule md_module>\nA 1\n</IfModule>\n"
          "LoadModule md_module modules/mod_md.so\n"
          "<IfModule mod_md.c>\nA 2\n</IfModule>\n"
          "<IfModule !mod_ssl.c>\nA 3\n</IfModule>\n"
          "<IfDefine X>\nA 4\n</IfDefine>\nDefine X\n<IfDefine X>\nA 5\n</IfDefine>\n"
          "UnDefine X\n<IfDefine !X>\nA 6\n</IfDefine>\n"
          "<IfVersion >= 2.4.50>\nA 7\n</IfVersion>\n<IfVersion < 2.4>\nA 8\n"
          "</IfVersion>\n<IfVersion ~ ^2\\.4>\nA 7.1\n</IfVersion>\n"
          "<IfVersion !~ ^2\\.4>\nA 7.2\n</IfVersion>\n"
          "<IfVersion = /^2\\.\\d/>\nA 7.3\n</IfVersion>\n<IfFile apache2.conf>\nA 9\n</IfFile>\n"
          "<IfFile none>\nA 10\n</IfFile>\n"),
      ElementsAre("A 2", "A 5", "A 6", "A 7", "A 7.1", "A 7.3", "A 9"));
}

TEST(ApacheConfig, NegatesConditionsBeforeAnyQuote) {
  EXPECT_THAT(
      config_lines_of("Define X\n<IfModule ! mod_ssl.c>\nA 1\n</IfModule>\n"
                      "<IfModule ! md_module>\nA 2\n</IfModule>\n"
                      "<IfModule \"!md_module\">\nA 3\n</IfModule>\n"
                      "<IfDefine ! X>\nA 4\n</IfDefine>\n<IfDefine !\"Y\">\nA 5\n</IfDefine>\n"
                      "<IfFile \"!none\">\nA 6\n</IfFile>\n<IfFile ! none>\nA 7\n</IfFile>\n"
                      "<IfModule !!mod_ssl.c>\nA 8\n</IfModule>\n"
                      "Define not !\n<IfDefine ${not}X>\nA 9\n</IfDefine>\n"),
      ElementsAre("A 2", "A 5", "A 7", "A 8"));
}

TEST(ApacheConfig, TextBehindATagDoesNotCount) {
  EXPECT_THAT(
      config_lines_of("<IfModule mod_ssl.c> x\n<A>\nB 1\n</A> </IfModule>\n<A>\nB 2\n</A>\n"),
      ElementsAre("A", "B 1", "A", "B 2"))
      << "a true condition may end with the file";
  EXPECT_THAT(config_lines_of("<IfModule md_module>\nB 1\n</IfModule> </IfModule>\nB 2\n"),
              ElementsAre("B 2"));
}

TEST(ApacheConfig, PutsVariablesIn) {
  View view = View::of(
      "Define dir /x\nDefine both \"a b\"\nA ${DIR}/c ${HOME} ${both}\n"
      "B ${map:key} ${nowhere}\n");
  view.given.environment = {{"HOME", "/root"}};
  Config config = view.config();
  EXPECT_THAT(node_lines(config), ElementsAre("A /x/c /root a b", "B ${map:key} ${nowhere}"));
  EXPECT_EQ(config.nodes[0].words.size(), 5u) << "a value with a blank makes two words";
  EXPECT_EQ(config.nodes[0].words[1].origin, Origin::variable);
  EXPECT_EQ(config.nodes[0].words[1].begin, 34u);
  EXPECT_EQ(config.nodes[0].words[1].end, 42u);
  EXPECT_THAT(messages(config.diagnostics), ElementsAre(HasSubstr("${nowhere} is not defined")));
}

TEST(ApacheConfig, UnrollsMacros) {
  View view = View::of(
      "<Macro Host $name $names>\n<VirtualHost *:443>\nServerName $name\n"
      "ServerAlias $names\nSSLCertificateFile /c.pem\n</VirtualHost>\n</Macro>\n"
      "Use host a.test \"b.test c.test\"\nUse Host d.test e.test\n");
  Config config = view.config();
  EXPECT_THAT(node_lines(config),
              ElementsAre("VirtualHost *:443", "ServerName a.test", "ServerAlias b.test c.test",
                          "SSLCertificateFile /c.pem", "VirtualHost *:443", "ServerName d.test",
                          "ServerAlias e.test", "SSLCertificateFile /c.pem"));
  EXPECT_EQ(config.nodes[1].words[1].origin, Origin::parameter);
  EXPECT_EQ(config.nodes[3].words[1].origin, Origin::written);
  EXPECT_EQ(config.nodes[3].words[1].begin, config.nodes[7].words[1].begin);
}

TEST(ApacheConfig, UnrollsMacrosThatDefineMacros) {
  View view = View::of(
      "<Macro Outer $n>\n<Macro Inner_$n $x>\nServerName $x.$n\n</Macro>\nUse Inner_$n a\n"
      "</Macro>\nUse Outer one\nUse Outer two\nUse Inner_one b\n");
  Config config = view.config();
  EXPECT_THAT(messages(config.diagnostics), IsEmpty());
  EXPECT_THAT(node_lines(config),
              ElementsAre("ServerName a.one", "ServerName a.two", "ServerName b.one"));
  EXPECT_EQ(config.nodes[0].words[1].origin, Origin::parameter);
  EXPECT_EQ(config.nodes[0].words[1].line, 3u);
}

TEST(ApacheConfig, AMacroMayEndOrChangeItself) {
  EXPECT_THAT(
      config_lines_of("<Macro Once $x>\nUndefMacro Once\nA $x\nB $x\n</Macro>\nUse Once 1\n"
                      "<Macro Again>\n<Macro Again $a $b>\nC $b $a\n</Macro>\nUse Again 2 3\n"
                      "D\n</Macro>\nUse Again\nUse Again 4 5\n"),
      ElementsAre("A 1", "B 1", "C 3 2", "D", "C 5 4"));
}

TEST(ApacheConfig, IncludesInHttpdsOrder) {
  View view(Texts{{"/etc/apache2/apache2.conf",
                   "Include sites/*.conf\nIncludeOptional none/*.conf\nInclude dir\n"
                   "ServerRoot /srv\nInclude x/*/v.conf\nIncludeOptional /gone\n"},
                  {"/etc/apache2/sites/b.conf", "A b"},
                  {"/etc/apache2/sites/a.conf", "A a"},
                  {"/etc/apache2/sites/.hidden.conf", "A hidden"},
                  {"/etc/apache2/dir/z", "A z"},
                  {"/etc/apache2/dir/sub/y", "A y"},
                  {"/etc/apache2/dir/.dot", "A dot"},
                  {"/srv/x/a-b/v.conf", "A second"},
                  {"/srv/x/a/v.conf", "A first"}});
  Config config = view.config();
  EXPECT_THAT(messages(config.diagnostics), IsEmpty());
  EXPECT_THAT(node_lines(config),
              ElementsAre("A a", "A b", "A dot", "A y", "A z", "A first", "A second"));
  EXPECT_THAT(config.directories, Contains("/etc/apache2/sites"));
}

TEST(ApacheConfig, SaysWhatHttpdWouldRefuse) {
  View view(Texts{{"/etc/apache2/apache2.conf",
                   "Include gone.conf\nInclude gone/*.conf\nInclude apache2.conf\nUse nothing\n"
                   "<IfDefine X>\n<A>\n</IfDefine>\n<B>\n</B>\n<IfDefine X>\n"}});
  EXPECT_THAT(messages(view.config().diagnostics),
              ElementsAre(HasSubstr("gone.conf cannot be read"), HasSubstr("no file matches"),
                          HasSubstr("includes itself"), HasSubstr("is not defined"),
                          HasSubstr("<IfDefine> was not closed")))
      << "what is wrong in content that is not read is nobody's business";
}

TEST(ApacheConfig, ReadsWhatTheCommandLineAdds) {
  View view = View::of("A 1\n");
  view.given.directives_before = {"B 2"};
  view.given.directives_after = {"C 3"};
  view.given.defines = {"X"};
  EXPECT_THAT(node_lines(view.config()), ElementsAre("B 2", "A 1", "C 3"));
}

TEST(ApacheConfig, StandsEndlessMacrosAndIncludes) {
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += "<Macro m" + std::to_string(i + 1) + ">\nUse m" + std::to_string(i) + "\nUse m" +
            std::to_string(i) + "\n</Macro>\n";
  View view = View::of("<Macro m0>\nA\n</Macro>\n" + text + "Use m40\n");
  view.given.most_directives = 40'000;
  EXPECT_THAT(messages(view.config().diagnostics), ElementsAre(HasSubstr("not read further")));
}

}  // namespace
}  // namespace certrebind::apache
