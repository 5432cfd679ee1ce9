#include "service/nginx/command_line.h"

#include <gtest/gtest.h>

namespace certrebind::nginx {
namespace {

using Words = std::vector<std::string>;

TEST(CommandLine, ReadsOptionsAsNginxDoes) {
  CommandLine line = parse_arguments({"nginx", "-qp", "/p", "-c/c", "-e", "stderr", "-g", "a b;"});
  EXPECT_EQ(line.config, "/c");
  EXPECT_EQ(line.prefix, "/p");
  EXPECT_EQ(line.extra, (Words{"-e", "stderr", "-g", "a b;"}));
  EXPECT_FALSE(line.one_shot);
  EXPECT_TRUE(parse_arguments({"nginx", "-tq", "-c", "/c"}).one_shot);
  EXPECT_TRUE(parse_arguments({"nginx", "-s", "reload"}).one_shot);
  EXPECT_TRUE(parse_arguments({"nginx", "-c"}).config.empty());
}

TEST(CommandLine, TakesMasterTitlesApart) {
  auto line = parse_master_title(
      "nginx: master process /usr/sbin/nginx -c /x y/n.conf -g daemon on;  master_process on; -p "
      ". ");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->config, "/x y/n.conf");
  EXPECT_EQ(line->prefix, ".");
  EXPECT_EQ(line->extra, (Words{"-g", "daemon on;  master_process on;"}));
}

TEST(CommandLine, KnowsTitlesOfDebianAndContainers) {
  EXPECT_EQ(parse_master_title("nginx: master process nginx -g daemon off;")->extra,
            (Words{"-g", "daemon off;"}));
  EXPECT_EQ(parse_master_title("nginx: master process nginx -p . -cc.conf -e stderr")->config,
            "c.conf");
  EXPECT_EQ(parse_master_title("nginx: master process /usr/sbin/nginx")->config, "");
  EXPECT_FALSE(parse_master_title("nginx: worker process").has_value());
  EXPECT_FALSE(parse_master_title("/usr/sbin/nginx").has_value());
}

TEST(BuildDefaults, ComeFromTheConfigureArguments) {
  BuildDefaults debian = parse_build_defaults(
      "nginx version: nginx/1.22.1\nconfigure arguments: --with-cc-opt='-g --prefix=/wrong -O2' "
      "--prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf --with-compat\n");
  EXPECT_EQ(debian.prefix, "/usr/share/nginx");
  EXPECT_EQ(debian.config, "/etc/nginx/nginx.conf");
  BuildDefaults own =
      parse_build_defaults("configure arguments: --prefix=/opt/n --conf-path=n.conf");
  EXPECT_EQ(own.config, "/opt/n/n.conf");
  EXPECT_EQ(parse_build_defaults("").config, "/usr/local/nginx/conf/nginx.conf");
}

TEST(FindBuildDefaults, FindsThemInTheProgram) {
  constexpr std::string_view kProgram(
      "\x7f"
      "ELF\0text\0 --prefix=/etc/nginx --conf-path=/etc/nginx/own.conf --user=x\0more\0",
      75);
  EXPECT_EQ(find_build_defaults(kProgram).prefix, "/etc/nginx");
  EXPECT_EQ(find_build_defaults(kProgram).config, "/etc/nginx/own.conf");
  EXPECT_EQ(find_build_defaults("nothing of it").config, "/usr/local/nginx/conf/nginx.conf");
}

}  // namespace
}  // namespace certrebind::nginx
