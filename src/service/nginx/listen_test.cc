#include "service/nginx/listen.h"

#include "service/nginx/view_for_test.h"

namespace certrebind::nginx {
namespace {

ListenAddresses parse(const std::string& arguments, bool stream = false) {
  MemoryFiles files;
  files.put("/etc/hosts", "# hosts\n127.0.0.1\tlocalhost me # not-me\n::1 localhost\r\n");
  Root root("/", files);
  HostNames hosts(root);
  Tree tree("listen " + arguments + ";");
  return ListenParser(hosts).parse(tree.arguments(tree.directives().front()), stream);
}

Lines texts(const std::string& arguments, bool stream = false) {
  ListenAddresses found = parse(arguments, stream);
  if (!found.problem.empty()) return {"!" + found.problem};
  Lines all;
  for (const Listen& listen : found.addresses) all.push_back(listen.text);
  return all;
}

TEST(Listen, KnowsAllForms) {
  EXPECT_EQ(texts("443"), (Lines{"*:443"}));
  EXPECT_EQ(texts("*:443"), (Lines{"*:443"}));
  EXPECT_EQ(texts("0.0.0.0:443"), (Lines{"*:443"}));
  EXPECT_EQ(texts("10.0.0.1"), (Lines{"10.0.0.1:80"}));
  EXPECT_EQ(texts("10.0.0.1:443 ssl"), (Lines{"10.0.0.1:443"}));
  EXPECT_EQ(texts("[::]:443"), (Lines{"[::]:443"}));
  EXPECT_EQ(texts("[0:0::0]:443"), (Lines{"[::]:443"}));
  EXPECT_EQ(texts("[2001:DB8:0:0:1::1]"), (Lines{"[2001:db8::1:0:0:1]:80"}));
  EXPECT_EQ(texts("unix:/run/x.sock ssl"), (Lines{"unix:/run/x.sock"}));
  EXPECT_EQ(texts("127.0.0.1:100-102", true),
            (Lines{"127.0.0.1:100", "127.0.0.1:101", "127.0.0.1:102"}));
  EXPECT_EQ(texts("localhost:443"), (Lines{"127.0.0.1:443", "[::1]:443"}));
  EXPECT_EQ(texts("me"), (Lines{"127.0.0.1:80"}));
  EXPECT_EQ(parse("www.example.com:443").addresses[0].family, Family::unresolved);
  EXPECT_EQ(parse("not-me:443").addresses[0].family, Family::unresolved);
}

TEST(Listen, RefusesWhatNginxRefuses) {
  EXPECT_EQ(texts("0"), (Lines{"0:80"}));  // taken for a host name, as nginx does
  EXPECT_EQ(texts("1.2.3.4:0"), (Lines{"!invalid port"}));
  EXPECT_EQ(texts("1.2.3.4:70000"), (Lines{"!invalid port"}));
  EXPECT_EQ(texts(":443"), (Lines{"!invalid host"}));
  EXPECT_EQ(texts("[::1"), (Lines{"!invalid address"}));
  EXPECT_EQ(texts("[xyz]:443"), (Lines{"!invalid host"}));
  EXPECT_EQ(texts("127.0.0.1", true), (Lines{"!no port"}));
  EXPECT_EQ(texts("unix:"), (Lines{"!no path in the unix domain socket"}));
  EXPECT_EQ(texts(""), (Lines{"!no address"}));
}

TEST(Listen, ReadsOptions) {
  Listen listen =
      parse("[::]:443 ssl http2 default_server proxy_protocol ipv6only=off").addresses[0];
  EXPECT_TRUE(listen.ssl && listen.default_server && listen.proxy_protocol);
  EXPECT_FALSE(listen.ipv6only || listen.udp);
  EXPECT_TRUE(parse("443 quic reuseport").addresses[0].udp);
  EXPECT_TRUE(parse("443 default").addresses[0].default_server);
}

}  // namespace
}  // namespace certrebind::nginx
