#include "service/apache/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certrebind::apache {
namespace {

using ::testing::ElementsAre;

TEST(ApacheCommandLine, TakesOptions) {
  CommandLine line = parse_arguments({"/usr/sbin/httpd", "-d", "/srv", "-f", "x.conf", "-DSSL",
                                      "-D", "FOREGROUND", "-C", "A 1", "-c", "B 2", "-k", "start"});
  EXPECT_EQ(line.server_root, "/srv");
  EXPECT_EQ(line.config, "x.conf");
  EXPECT_THAT(line.defines, ElementsAre("SSL", "FOREGROUND"));
  EXPECT_THAT(line.directives_before, ElementsAre("A 1"));
  EXPECT_THAT(line.directives_after, ElementsAre("B 2"));
  EXPECT_FALSE(line.one_shot);
}

TEST(ApacheCommandLine, KnowsWhatServesNothing) {
  EXPECT_TRUE(parse_arguments({"apache2", "-t"}).one_shot);
  EXPECT_TRUE(parse_arguments({"apache2", "-f", "x", "-S"}).one_shot);
  EXPECT_TRUE(parse_arguments({"apache2", "-k", "graceful"}).one_shot);
  EXPECT_FALSE(parse_arguments({"apache2", "-D", "-t"}).one_shot);
}

TEST(ApacheCommandLine, TakesWhatWasCompiledIn) {
  BuildDefaults built = parse_build(
      "Server version: Apache/2.4.57 (Debian)\n -D HTTPD_ROOT=\"/etc/apache2\"\n"
      " -D SERVER_CONFIG_FILE=\"apache2.conf\"\n",
      "Compiled in modules:\n  core.c\n  mod_so.c\n");
  EXPECT_EQ(built.server_root, "/etc/apache2");
  EXPECT_EQ(built.config, "apache2.conf");
  EXPECT_EQ(built.version, (Version{2, 4, 57}));
  EXPECT_THAT(built.modules, ElementsAre("core.c", "mod_so.c"));
}

// As Debian ships it.
TEST(ApacheCommandLine, TakesDebiansEnvironment) {
  EXPECT_THAT(
      parse_envvars("unset HOME\nif [ \"${APACHE_CONFDIR##/etc/apache2-}\" != \"x\" ] ; then\n"
                    "\tSUFFIX=\"-${APACHE_CONFDIR##/etc/apache2-}\"\nelse\n\tSUFFIX=\nfi\n"
                    "export APACHE_RUN_USER=www-data\n"
                    "export APACHE_RUN_DIR=/var/run/apache2$SUFFIX\n#export NOT=x\nexport LANG=C\n"
                    "export LANG\n"),
      ElementsAre("APACHE_RUN_USER=www-data", "APACHE_RUN_DIR=/var/run/apache2", "LANG=C"));
  EXPECT_THAT(
      parse_envvars("SUFFIX=\nexport APACHE_RUN_DIR=/run/apache2$SUFFIX\n", {{"SUFFIX", "-foo"}}),
      ElementsAre("APACHE_RUN_DIR=/run/apache2-foo"));
}

}  // namespace
}  // namespace certrebind::apache
