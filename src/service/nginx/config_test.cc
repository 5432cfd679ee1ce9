#include "service/nginx/config.h"

#include "service/nginx/view_for_test.h"

namespace certrebind::nginx {
namespace {

std::string names(const Config& config) {
  std::string all;
  for (const Node& node : config.nodes) all += std::string(node.name()) + " ";
  return all;
}

Lines paths(const Config& config) {
  Lines all;
  for (const auto& file : config.files) all.push_back(file->path);
  return all;
}

TEST(Config, PutsIncludesWhereTheyStand) {
  View view(Texts{{"/etc/nginx/nginx.conf", "a; http { include conf.d/*.conf; z; } end;"},
                  {"/etc/nginx/conf.d/2.conf", "two;"},
                  {"/etc/nginx/conf.d/1.conf", "one { include /srv/x; }"},
                  {"/etc/nginx/conf.d/.3.conf", "hidden;"},
                  {"/srv/x", "x;"}});
  Config config = view.config();
  EXPECT_EQ(names(config), "a http one x two z end ");
  EXPECT_EQ(paths(config), (Lines{"/etc/nginx/nginx.conf", "/etc/nginx/conf.d/1.conf", "/srv/x",
                                  "/etc/nginx/conf.d/2.conf"}));
  EXPECT_EQ(config.nodes[1].next, 6u);
  EXPECT_EQ(config.nodes[2].next, 4u);
  EXPECT_TRUE(config.diagnostics.empty());
}

TEST(Config, BeginsRelativeNamesAtTheMainFile) {
  View view(Texts{{"/etc/nginx/nginx.conf", "include sub/a;"},
                  {"/etc/nginx/sub/a", "include b;"},
                  {"/etc/nginx/b", "right;"},
                  {"/etc/nginx/sub/b", "wrong;"}});
  EXPECT_EQ(names(view.config()), "right ");
}

TEST(Config, ReadsAFileOnceHoweverItIsNamed) {
  View view(Texts{{"/etc/nginx/nginx.conf", "a { include x; } b { include x; } c { include y; }"},
                  {"/etc/nginx/x", "in;"}});
  view.files.put_link("/etc/nginx/y", "x");
  Config config = view.config();
  EXPECT_EQ(names(config), "a in b in c in ");
  EXPECT_EQ(config.files.size(), 2u);
}

TEST(Config, GivesRealPaths) {
  View view(Texts{{"/etc/nginx/nginx.conf", "include enabled/*;"},
                  {"/etc/nginx/available/s", "server_x;"}});
  view.files.put_link("/etc/nginx/enabled/s", "../available/s");
  Config config = view.config();
  ASSERT_EQ(config.files.size(), 2u);
  EXPECT_EQ(config.files[1]->path, "/etc/nginx/enabled/s");
  EXPECT_EQ(config.files[1]->real, "/etc/nginx/available/s");
}

TEST(Config, NamesAMissingIncludeButNoEmptyPattern) {
  View view = View::of("a;\n  include nowhere;\n include none/*.conf;\n b;");
  Config config = view.config();
  EXPECT_EQ(names(config), "a b ");
  ASSERT_EQ(config.diagnostics.size(), 1u);
  EXPECT_EQ(config.diagnostics[0].line, 2);
  EXPECT_EQ(config.diagnostics[0].column, 3);
  EXPECT_EQ(config.diagnostics[0].severity, Severity::error);
}

TEST(Config, EndsCircles) {
  View view(Texts{{"/etc/nginx/nginx.conf", "a; include x;"},
                  {"/etc/nginx/x", "b; include nginx.conf;"}});
  Config config = view.config();
  EXPECT_EQ(names(config), "a b ");
  ASSERT_EQ(config.diagnostics.size(), 1u);
  EXPECT_EQ(config.diagnostics[0].file, "/etc/nginx/x");
}

TEST(Config, EndsWhatMultiplies) {
  Texts texts;
  for (int i = 0; i < 100; ++i)
    texts["/etc/nginx/" + std::to_string(i)] =
        "include " + std::to_string(i + 1) + "; include " + std::to_string(i + 1) + ";";
  texts["/etc/nginx/100"] = "";
  texts["/etc/nginx/nginx.conf"] = "include 0;";
  EXPECT_EQ(View(texts).config().diagnostics.size(), 1u);
}

TEST(Config, EndsWhatIsTooDeep) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "a{";
  for (int i = 0; i < 100'000; ++i) text += "}";
  EXPECT_EQ(View::of(text).config().diagnostics.size(), 1u);
}

TEST(Config, ReadsRowsAsNginxDoes) {
  View view(Texts{{"/etc/nginx/nginx.conf",
                   "map $a $b { include m*; } geo $c { include g*; } types { include t; }"},
                  {"/etc/nginx/m1", "x 1;"},
                  {"/etc/nginx/g1", "1.2.3.4 1;"},
                  {"/etc/nginx/t", "text/html html;"}});
  Config config = view.config();
  EXPECT_EQ(names(config), "map x geo types text/html ");
  EXPECT_EQ(config.diagnostics.size(), 1u);  // geo opens "g*" literally
}

TEST(Config, ReportsSyntaxOnceForEachFile) {
  View view(
      Texts{{"/etc/nginx/nginx.conf", "a { include x; } b { include x; }"}, {"/etc/nginx/x", "}"}});
  EXPECT_EQ(messages(view.config().diagnostics), (Lines{"/etc/nginx/x:1:1: unexpected \"}\""}));
}

TEST(Config, FailsWithoutAMainFile) {
  MemoryFiles files;
  Root root("/", files);
  EXPECT_EQ(read_config("/etc/nginx/nginx.conf", root).error().code, Code::not_found);
}

}  // namespace
}  // namespace certrebind::nginx
