#include "service/nginx/nginx.h"

#include "service/nginx/tree.h"
#include "service/nginx/view_for_test.h"

namespace certrebind::nginx {
namespace {

const std::string kMain = "/etc/nginx/nginx.conf";

Instance instance(const std::string& root = "/") {
  Instance made;
  made.executable = (root == "/" ? "" : root) + "/usr/sbin/nginx";
  made.config = kMain;
  made.prefix = "/usr/share/nginx";
  made.root = root;
  return made;
}

// `text` after the edits, which must not overlap.
std::string edited(std::string text, std::vector<FileEdit> edits) {
  std::sort(edits.begin(), edits.end(),
            [](const FileEdit& a, const FileEdit& b) { return b.where.begin < a.where.begin; });
  for (const FileEdit& edit : edits)
    text.replace(edit.where.begin, edit.where.end - edit.where.begin, edit.replacement);
  return text;
}

TEST(Nginx, RepointsItsDirectives) {
  MemoryFiles files;
  std::string text =
      "http { server { listen 443 ssl; ssl_certificate old.pem; # old.pem\n"
      " ssl_certificate_key \"old.key\"; } }";
  files.put(kMain, text);
  NginxService service(instance(), files);
  auto found = service.bindings();
  ASSERT_TRUE(found.has_value());
  auto edits = service.repoint(found->bindings.at(0), {"/n/new.pem", "/n/new key"});
  ASSERT_TRUE(edits.has_value());
  EXPECT_EQ(edited(text, *edits),
            "http { server { listen 443 ssl; ssl_certificate /n/new.pem; # old.pem\n"
            " ssl_certificate_key \"/n/new key\"; } }");
  EXPECT_EQ(edited(text, {}), text);
}

TEST(Nginx, WhereItListens) {
  MemoryFiles files;
  files.put(kMain,
            "http { server { listen 80; listen 443 ssl reuseport; listen 443 quic reuseport; }\n"
            "server { listen 80; listen [::]:80; listen [::]:81 ipv6only=off; listen unix:/x; } }\n"
            "stream { server { listen 127.0.0.1:53 udp; listen 127.0.0.1:53; } }");
  NginxService service(instance(), files);
  Lines found;
  auto discovery = service.bindings();
  ASSERT_TRUE(discovery);
  for (const ListenAddress& one : discovery->listens)
    found.push_back(one.address.text() + " " + one.where + (one.shared ? " shared" : ""));
  EXPECT_EQ(found, (Lines{"0.0.0.0:80 " + kMain + ":1", "0.0.0.0:443 " + kMain + ":1 shared",
                          "[::]:80 " + kMain + ":2", "[::]:81 " + kMain + ":2",
                          "0.0.0.0:81 " + kMain + ":2", "127.0.0.1:53 " + kMain + ":3"}));
}

TEST(Nginx, SaysWhyItCannotRepoint) {
  MemoryFiles files;
  files.put("/jail" + kMain,
            "http { server { listen 443 ssl; ssl_certificate a; ssl_certificate_key k; }"
            " server { listen 443 ssl; ssl_certificate $x; ssl_certificate_key k; } }");
  NginxService service(instance("/jail"), files);
  auto found = service.bindings();
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(service.repoint(found->bindings.at(0), {"/jail/n.pem", "/jail/n.pem"}).has_value());
  EXPECT_EQ(service.repoint(found->bindings.at(0), {"/n.pem", "/jail/n.key"}).error().code,
            Code::usage);
  EXPECT_EQ(service.repoint(found->bindings.at(0), {"/jail/$n.pem", "/jail/n"}).error().code,
            Code::usage);
  EXPECT_EQ(service.repoint(found->bindings.at(1), {"/jail/n.pem", "/jail/n"}).error().code,
            Code::unsupported);
}

TEST(Nginx, FailsOnlyWithoutItsMainFile) {
  MemoryFiles files;
  EXPECT_EQ(NginxService(instance(), files).bindings().error().code, Code::not_found);
}

TEST(Nginx, TestsWithTheMastersArguments) {
  MemoryFiles files;
  Instance jailed = instance("/jail");
  jailed.extra_arguments = {"-g", "daemon off;"};
  NginxService service(jailed, files);
  auto command = service.config_test();
  ASSERT_TRUE(command.has_value());
  EXPECT_EQ(command->root, "/jail");
  EXPECT_EQ(command->arguments, (Lines{"/usr/sbin/nginx", "-t", "-q", "-c", kMain, "-p",
                                       "/usr/share/nginx", "-g", "daemon off;"}));
  EXPECT_EQ(service.id().text(), "nginx:/jail/etc/nginx/nginx.conf");
  EXPECT_FALSE(service.reload().signal.has_value());
  EXPECT_EQ(service.on_bad_certificate(), OnBadCertificate::keeps_old);
}

TEST(QuotedPath, MeansThePathToOurOwnLexer) {
  for (const std::string& path : Lines{"/a.pem", "/a b", "/a;b", "/a\"b", "/a'b", "/a\\b", "/a\\\\",
                                       "/a\\n", "/a{b}", "/#a", "/a\nb", "/\xff", "/(a)", ""}) {
    auto quoted = quoted_path(path);
    ASSERT_TRUE(quoted.has_value());
    Tree tree("x " + *quoted + ";");
    EXPECT_TRUE(tree.errors().empty()) << *quoted;
    EXPECT_EQ(tree.arguments(tree.directives().at(0)).front().value, path);
  }
  EXPECT_EQ(quoted_path("/a.pem").value(), "/a.pem");
  EXPECT_FALSE(quoted_path("/$a").has_value());
  EXPECT_FALSE(quoted_path(std::string("/a\0b", 4)).has_value());
}

}  // namespace
}  // namespace certrebind::nginx
