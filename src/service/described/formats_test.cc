#include "service/described/formats.h"

#include <gtest/gtest.h>

namespace certrebind::described {
namespace {

SettingsTree tree_of(Format format, const std::string& text,
                     std::vector<std::string> sections = {}) {
  Source source;
  source.format = format;
  source.sections = std::move(sections);
  SettingsTree tree;
  read_format(source, text, "/c", false, 0, tree);
  return tree;
}

// "path|name=value" of every setting, in order.
std::vector<std::string> all_of(const SettingsTree& tree) {
  std::vector<std::string> found;
  for (const Section& section : tree.sections)
    for (const Setting& setting : section.settings)
      found.push_back(section.path + "|" + setting.name + "=" + setting.value);
  return found;
}

using Found = std::vector<std::string>;

TEST(Assignments, TakeQuotesAndComments) {
  EXPECT_EQ(
      all_of(tree_of(Format::assignments,
                     "# no\nssl = on   # a comment\nssl_cert_file='/a b/c#d.pem' # x\nport 5432\n"
                     "quoted = \"x\"\nempty =\n")),
      (Found{"|ssl=on", "|ssl_cert_file=/a b/c#d.pem", "|port=5432", "|quoted=x", "|empty="}));
}

TEST(Assignments, KnowWhereAValueStands) {
  const std::string text = "a = 1\n  ssl_cert = \"/x\"\n";
  SettingsTree tree = tree_of(Format::assignments, text);
  const Setting* found = tree.own(0, "ssl_cert");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->where.line, 2);
  EXPECT_EQ(text.substr(found->where.begin, found->where.end - found->where.begin), "\"/x\"");
}

TEST(LookupTables, TakeTheFirstOfEachName) {
  EXPECT_EQ(all_of(tree_of(Format::lookup_table,
                           "# no\nA.test /k, /c\n  # a comment in between\n.b.test\n   /b\n  /c\n"
                           "a.test /later\n")),
            (Found{"entry a.test|value=/k, /c", "entry .b.test|value=/b /c"}));
}

TEST(LookupTables, KnowNoAsterisk) {
  SettingsTree tree = tree_of(Format::lookup_table, "*.a.test /c\n");
  EXPECT_TRUE(all_of(tree).empty());
  ASSERT_EQ(tree.diagnostics.size(), 1U);
  EXPECT_EQ(tree.diagnostics.front().text(),
            "/c:1:0: *.a.test is for no name; for all names below a.test write .a.test");
}

TEST(Words, BeginSections) {
  EXPECT_EQ(all_of(tree_of(
                Format::words,
                "port 1883\nlistener 8883 127.0.0.1\ncertfile /a\nlistener 8884\ncertfile /b\n",
                {"listener"})),
            (Found{"|port=1883", "listener 8883 127.0.0.1|listener=8883 127.0.0.1",
                   "listener 8883 127.0.0.1|certfile=/a", "listener 8884|listener=8884",
                   "listener 8884|certfile=/b"}));
}

TEST(Words, OfASectionMayAssign) {
  EXPECT_EQ(
      all_of(tree_of(Format::words, "https_port 443 tls-cert=/a tls-key=/b\n", {"https_port"})),
      (Found{"https_port 443 tls-cert=/a tls-key=/b|https_port=443 tls-cert=/a tls-key=/b",
             "https_port 443 tls-cert=/a tls-key=/b|tls-cert=/a",
             "https_port 443 tls-cert=/a tls-key=/b|tls-key=/b"}));
}

TEST(Ini, HasSections) {
  EXPECT_EQ(
      all_of(tree_of(Format::ini, "pid = /p\n[imaps]\n; no\naccept = 993\n[pop3s]\naccept=995\n")),
      (Found{"|pid=/p", "imaps|accept=993", "pop3s|accept=995"}));
}

TEST(Blocks, Nest) {
  EXPECT_EQ(all_of(tree_of(
                Format::blocks,
                "ssl = yes\nservice imap-login {\n  inet_listener imaps {\n    port = 993\n  }\n"
                "  process_min_avail = 0\n}\nfrontend = {\n  host = \"*\"\n}\n")),
            (Found{"|ssl=yes", "service imap-login|process_min_avail=0",
                   "service imap-login/inet_listener imaps|port=993", "frontend|host=*"}));
}

TEST(Blocks, ReportWhatIsNotClosed) {
  EXPECT_FALSE(tree_of(Format::blocks, "a {\n").diagnostics.empty());
  SettingsTree tree = tree_of(Format::blocks, "x = 1\n}\n");
  ASSERT_EQ(tree.diagnostics.size(), 1u);
  EXPECT_EQ(tree.diagnostics.front().line, 2);
}

TEST(Json, HasASectionForEachObject) {
  EXPECT_EQ(all_of(tree_of(Format::json,
                           R"({"apps":{"http":{"servers":{"s0":{"listen":[":443",":8443"]}}},
                              "tls":{"load_files":[{"certificate":"/a","key":"/b"},{"certificate":"/c"}]}}})")),
            (Found{"|apps=yes", "apps|http=yes", "apps|tls=yes", "apps/http|servers=yes",
                   "apps/http/servers|s0=yes", "apps/http/servers/s0|listen=:443, :8443",
                   "apps/tls|load_files=yes", "apps/tls|load_files=yes",
                   "apps/tls/load_files|certificate=/a", "apps/tls/load_files|key=/b",
                   "apps/tls/load_files|certificate=/c"}));
  EXPECT_FALSE(tree_of(Format::json, "[1]").diagnostics.empty());
  EXPECT_FALSE(tree_of(Format::json, "{\"a\":").diagnostics.empty());
}

TEST(Yaml, HasASectionForEachMapping) {
  EXPECT_EQ(all_of(tree_of(
                Format::yaml,
                "---\n# no\nhosts:\n- a.test\n- \"b.test\"  # yes\nlisten:\n  -\n    port: 5222\n"
                "    ip: \"::\"\n  - port: 5223\n    tls: true\nhttp: {addr: ':5000', tls: [a, "
                "'it''s']}\n"
                "text: |\n  one\n  two\nnone: ~\n'quoted key': x#y\n")),
            (Found{"|hosts=a.test, b.test", "|http=yes", "|listen=yes", "|listen=yes", "|none=",
                   "|quoted key=x#y", "|text=one\ntwo\n", "http|addr=:5000", "http|tls=a, it's",
                   "listen|ip=::", "listen|port=5222", "listen|port=5223", "listen|tls=true"}));
}

TEST(Yaml, NamesTheLineThatItDoesNotRead) {
  for (const std::string text :
       {"a: b\nx: *anchor\n", "a: b\n<<: *anchor\n", "a: b\n}\n", "a: b\n  c: d\n"}) {
    SettingsTree tree = tree_of(Format::yaml, text);
    ASSERT_EQ(tree.diagnostics.size(), 1U) << text;
    EXPECT_EQ(tree.diagnostics.front().line, 2) << text;
    ASSERT_NE(tree.own(0, "a"), nullptr) << text;
  }
  EXPECT_FALSE(tree_of(Format::yaml, "- a\n").diagnostics.empty()) << "not a mapping";
  EXPECT_FALSE(tree_of(Format::yaml, std::string(100'000, '[')).diagnostics.empty());
  EXPECT_FALSE(tree_of(Format::yaml, "a: " + std::string(100'000, '[')).diagnostics.empty());
  std::string deep;
  for (size_t i = 0; i < 1000; ++i) deep += std::string(i, ' ') + "a:\n";
  EXPECT_FALSE(tree_of(Format::yaml, deep).diagnostics.empty());
}

// What repeats a long name would fill the memory.
TEST(Formats, KeepNoLongNames) {
  const std::string name(100'000, 'a');
  EXPECT_TRUE(all_of(tree_of(Format::lua, name + " = { x = 1, y = 2 }\n")).empty());
  EXPECT_EQ(all_of(tree_of(Format::lua, "b = { " + name + " = { x = 1 }, y = 2 }\n")),
            (Found{"|b.y=2", "|b="}));
  EXPECT_TRUE(all_of(tree_of(Format::json, "{\"" + name + "\": [{}, {}]}")).empty());
  SettingsTree tree;
  EXPECT_LE(tree.sections[tree.open(tree.open(0, name, ""), "b", name)].path.size(), 1000U);
}

TEST(Json, IsNotReadTooDeep) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_TRUE(all_of(tree_of(Format::json, "{\"a\": " + deep + "}")).empty());
}

TEST(Lua, HasHostsAndTables) {
  EXPECT_EQ(
      all_of(tree_of(Format::lua,
                     "-- no\n--[[ nor\nthis ]]\nmodules = { \"tls\"; 'posix', -- yes\n }\n"
                     "ssl = { key = \"/k\", [\"certificate\"] = [[/c]]; }; c2s_ports = { 5222 }\n"
                     "VirtualHost \"a.test\"\n enabled = false\nComponent \"c.a.test\" \"muc\"\n "
                     "name = 'x\\'y'\n",
                     {"VirtualHost", "Component"})),
      (Found{"|modules=tls, posix", "|ssl.key=/k", "|ssl.certificate=/c",
             "|ssl=", "|c2s_ports=5222", "|VirtualHost=a.test", "|Component=c.a.test",
             "VirtualHost a.test|enabled=false", "Component c.a.test|name=x'y"}));
}

TEST(Lua, NamesExpressionsAndGoesOn) {
  SettingsTree tree =
      tree_of(Format::lua,
              "secret = os.getenv(\"X\")\nt = { a = f({ 1 }), b = \"x\" .. \"y\"; c = 'z' }\n"
              "n = 3 + 4\nv = some_name\nkey = '/k'\n");
  EXPECT_EQ(all_of(tree), (Found{"|t.c=z", "|t=", "|key=/k"}));
  std::vector<int> lines;
  for (const Diagnostic& each : tree.diagnostics) lines.push_back(each.line);
  EXPECT_EQ(lines, (std::vector{1, 2, 2, 3, 4}));
}

TEST(Lua, KnowsWhereAValueStands) {
  const std::string text = "a = 1\nssl = {\n  key = '/k'\n}\n";
  SettingsTree tree = tree_of(Format::lua, text);
  const Setting* found = tree.own(0, "ssl.key");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->where.line, 3);
  EXPECT_EQ(text.substr(found->where.begin, found->where.end - found->where.begin), "'/k'");
}

TEST(Lua, ReadsNoMoreThanConfigurationsHave) {
  std::string one_line, hosts, mistakes;
  for (size_t i = 0; i < 150'000; ++i) {
    one_line += "a=1 ";
    hosts += "VirtualHost 'x'\n";
    mistakes += "?\n";
  }
  EXPECT_EQ(tree_of(Format::lua, one_line).sections[0].settings.back().where.column, 599'999);
  SettingsTree tree = tree_of(Format::lua, hosts, {"VirtualHost"});
  EXPECT_LE(tree.sections.size(), kMostSections + 1);
  EXPECT_EQ(tree.diagnostics.size(), 1U);
  EXPECT_EQ(tree_of(Format::lua, mistakes).diagnostics.size(), kMostComplaints);
  std::string aliases, list = "l:\n";
  for (size_t i = 0; i < 150'000; ++i) {
    list += "- {a: b}\n";
    aliases += "a: *b\n";
  }
  EXPECT_EQ(tree_of(Format::yaml, aliases).diagnostics.size(), kMostComplaints);
  EXPECT_LE(tree_of(Format::yaml, list).sections.size(), kMostSections + 1);
}

TEST(Lua, EndsWhateverItReads) {
  for (const char* text :
       {"a = {", "a = { b = ", "[[x", "--[[", "a = \"x", "}", "= = =", "a = }", "a = { ) }",
        "a = { [\"x\" y }", "local x = 1", "a", "a =", "a = -1\nb = 2", "a = \"x\\"}) {
    SettingsTree tree = tree_of(Format::lua, text);
    EXPECT_LE(tree.sections.size(), 1U);
    for (const Setting& setting : tree.sections[0].settings)
      EXPECT_LE(setting.where.end, std::string_view(text).size()) << text;
  }
  EXPECT_FALSE(tree_of(Format::lua, "a = " + std::string(100'000, '{')).diagnostics.empty());
}

TEST(Options, AreOneALine) {
  EXPECT_EQ(all_of(tree_of(Format::options, "--ssl-cert=/a\n--port 3306\nword\n--flag\n")),
            (Found{"|ssl_cert=/a", "|port=3306", "|flag=yes"}));
}

TEST(MasterCf, HasServicesWithTheirOptions) {
  const std::string path = "service submission/inet";
  EXPECT_EQ(
      all_of(tree_of(Format::postfix_master,
                     "submission inet n - y - - smtpd\n  -o smtpd_tls_security_level=encrypt\n"
                     "127.0.0.1:2525 inet n - y - - smtpd\n")),
      (Found{
          path + "|type=inet", path + "|address=", path + "|port=submission",
          path + "|command=smtpd", path + "|smtpd_tls_security_level=encrypt",
          "service 127.0.0.1:2525/inet|type=inet", "service 127.0.0.1:2525/inet|address=127.0.0.1",
          "service 127.0.0.1:2525/inet|port=2525", "service 127.0.0.1:2525/inet|command=smtpd"}));
}

}  // namespace
}  // namespace certrebind::described
