// Tests through the bindings which server nginx chooses. Every expectation was first observed with
// nginx 1.22.1.
#include "service/nginx/routing.h"

#include "service/nginx/view_for_test.h"

namespace certrebind::nginx {
namespace {

// An http server with certificate /CERT.
std::string server(const std::string& cert, const std::string& names,
                   const std::string& listen = "10.0.0.1:443 ssl", const std::string& more = "") {
  std::string text = "server { listen " + listen + "; " + more;
  if (!names.empty()) text += "server_name " + names + "; ";
  if (!cert.empty()) text += "ssl_certificate /" + cert + "; ssl_certificate_key /k; ";
  return text + "}\n";
}

Lines seen(const std::string& http) {
  return lines(View::of("http {\n" + http + "}").discovery());
}

Lines told(const std::string& http) {
  return messages(View::of("http {\n" + http + "}").discovery().diagnostics);
}

TEST(Routing, ProbesExactNames) {
  EXPECT_EQ(seen(server("a", "A.com b.com") + server("c", "c.com")),
            (Lines{"a.com a @10.0.0.1:443 a.com b.com -", "c.com c @10.0.0.1:443 c.com"}));
}

// No client can choose the last server, whatever name it sends.
TEST(Routing, KnowsWhichServerIsNeverChosen) {
  auto never = [](const std::string& names, const std::string& listen = "10.0.0.1:443 ssl") {
    Discovery found =
        View::of("http {\n" + server("a", "a.com .b.com") + server("c", names, listen) + "}")
            .discovery();
    return found.bindings.at(1).never_chosen;
  };
  EXPECT_TRUE(never("a.com"));
  EXPECT_TRUE(never("a.com .b.com _"));
  EXPECT_TRUE(never(""));
  EXPECT_FALSE(never("a.com c.com"));
  EXPECT_FALSE(never("a.com x.b.com"));
  EXPECT_FALSE(never("a.com ~^x"));
  EXPECT_FALSE(never("a.com *.com"));
  EXPECT_FALSE(never("a.com", "10.0.0.1:443 ssl default_server"));
  EXPECT_FALSE(never("a.com", "10.0.0.1:443 ssl; listen 10.0.0.2:443 ssl"));
}

TEST(Routing, KnowsTheDefaultServer) {
  EXPECT_EQ(seen(server("a", "a.com") + server("b", "b.com", "10.0.0.1:443 ssl default_server")),
            (Lines{"a.com a @10.0.0.1:443 a.com", "b.com b @10.0.0.1:443 b.com -"}));
}

TEST(Routing, MakesUpNamesForWildcards) {
  EXPECT_EQ(seen(server("a", "*.a.com") + server("b", ".b.com") + server("c", "www.*")),
            (Lines{"*.a.com a @10.0.0.1:443 certrebind-probe.a.com -",
                   ".b.com b @10.0.0.1:443 b.com certrebind-probe.b.com",
                   "www.* c @10.0.0.1:443 www.certrebind-probe.test"}));
}

TEST(Routing, AvoidsTakenNamesWhenItMakesThemUp) {
  EXPECT_EQ(seen(server("a", "*.a.com") + server("b", "certrebind-probe.a.com")),
            (Lines{"*.a.com a @10.0.0.1:443 certrebind-probe-2.a.com -",
                   "certrebind-probe.a.com b @10.0.0.1:443 certrebind-probe.a.com"}));
}

TEST(Routing, DoesNotProbeWhatAnEarlierServerHas) {
  std::string http = server("a", "x.com") + server("b", "x.com y.com");
  EXPECT_EQ(seen(http), (Lines{"x.com a @10.0.0.1:443 x.com -", "x.com b @10.0.0.1:443 y.com"}));
  EXPECT_EQ(told(http), (Lines{"/etc/nginx/nginx.conf:3:47: conflicting server name \"x.com\" on "
                               "10.0.0.1:443: an earlier one answers, nginx ignores this"}));
}

TEST(Routing, NamesAConflictOnceForAllAddresses) {
  std::string both = "443 ssl; listen [::]:443 ssl";
  EXPECT_EQ(told(server("a", "x.com", both) + server("b", "x.com", both)).size(), 1u);
  EXPECT_TRUE(told(server("a", "_", both) + server("b", "_", both)).empty());
}

TEST(Routing, SaysWhatNoNameReaches) {
  Lines expected = {"a.com a @10.0.0.1:443 a.com -", "10.0.0.1:443 b @10.0.0.1:443 UNPROVEN"};
  EXPECT_EQ(seen(server("a", "a.com") + server("b", "~^x$ _ \"\"")), expected);
}

TEST(Routing, LeavesRegexesAndAddressesUnprobed) {
  Discovery found =
      View::of("http {" + server("a", "b.com ~^(?<x>A+)\\.com$ 10.0.0.1 $hostname b\xfc.de") + "}")
          .discovery();
  ASSERT_EQ(found.bindings.size(), 1u);
  EXPECT_EQ(found.bindings[0].names, (Lines{"b.com", "10.0.0.1", "b\xfc.de"}));
  EXPECT_EQ(found.bindings[0].unprobed_names,
            (Lines{"~^(?<x>A+)\\.com$", "10.0.0.1", "$hostname", "b\xfc.de"}));
  EXPECT_EQ(found.bindings[0].endpoints[0].probe_names, (Lines{"b.com"}));
}

TEST(Routing, GivesNamesWithoutACertificateToTheDefaultServer) {
  Discovery found = View::of("http {" + server("", "guest.com") +
                             server("a", "a.com", "10.0.0.1:443 ssl default_server") +
                             server("", "late.com") + "}")
                        .discovery();
  EXPECT_EQ(lines(found), (Lines{"a.com a @10.0.0.1:443 a.com guest.com late.com -"}));
  EXPECT_EQ(found.bindings[0].names, (Lines{"a.com", "guest.com", "late.com"}));
}

TEST(Routing, HeedsRejectedHandshakes) {
  std::string reject = "ssl_reject_handshake on;";
  EXPECT_EQ(seen(server("", "_", "10.0.0.1:443 ssl", reject) + server("b", "b.com")),
            (Lines{"b.com b @10.0.0.1:443 b.com"}));
  EXPECT_EQ(seen(server("a", "a.com") + server("", "no.com", "10.0.0.1:443 ssl", reject)),
            (Lines{"a.com a @10.0.0.1:443 a.com -"}));
  EXPECT_EQ(seen(server("a", "a.com", "10.0.0.1:443 ssl", reject)),
            (Lines{"a.com a @10.0.0.1:443 UNPROVEN"}));
}

TEST(Routing, MergesOptionsOfAnAddress) {
  EXPECT_EQ(seen(server("a", "a.com", "10.0.0.1:443") +
                 server("b", "b.com", "10.0.0.1:443 ssl proxy_protocol")),
            (Lines{"a.com a @10.0.0.1:443 a.com - PROXY", "b.com b @10.0.0.1:443 b.com PROXY"}));
}

TEST(Routing, TakesSslOnFromTheDefaultServerOnly) {
  EXPECT_EQ(seen(server("a", "a.com", "443", "ssl on;") + server("b", "b.com", "443")),
            (Lines{"a.com a @127.0.0.1:443 a.com -", "b.com b @127.0.0.1:443 b.com"}));
  EXPECT_EQ(seen(server("a", "a.com", "443") + server("b", "b.com", "443", "ssl on;")),
            (Lines{"a.com a", "b.com b"}));
}

TEST(Routing, ReachesWildcardsOverLoopback) {
  EXPECT_EQ(seen(server("a", "a.com", "443 ssl; listen [::]:443 ssl")),
            (Lines{"a.com a @127.0.0.1:443 a.com -", "a.com a @::1:443 a.com -"}));
  EXPECT_EQ(seen(server("a", "a.com", "[::]:443 ssl ipv6only=off")),
            (Lines{"a.com a @::1:443 a.com -", "a.com a @127.0.0.1:443 a.com -"}));
}

TEST(Routing, AvoidsMoreSpecificListeners) {
  EXPECT_EQ(seen(server("a", "a.com", "443 ssl") + server("b", "b.com", "127.0.0.1:443 ssl") +
                 server("", "c.com", "127.0.0.2:443")),
            (Lines{"a.com a @127.0.0.3:443 a.com -", "b.com b @127.0.0.1:443 b.com -"}));
  EXPECT_EQ(seen(server("a", "a.com", "[::]:443 ssl") + server("b", "b.com", "[::1]:443 ssl")),
            (Lines{"a.com a @::1:443 a.com - UNPROVEN", "b.com b @::1:443 b.com -"}));
}

TEST(Routing, ProvesQuicByItsTwin) {
  EXPECT_EQ(seen(server("a", "a.com", "443 quic; listen 443 ssl")),
            (Lines{"a.com a @127.0.0.1:443 a.com -"}));
  EXPECT_EQ(seen(server("a", "a.com", "443 quic")),
            (Lines{"a.com a @127.0.0.1:443 a.com - UNPROVEN"}));
}

TEST(Routing, SpeaksToUnixSocketsAndNotToUnknownHosts) {
  EXPECT_EQ(seen(server("a", "a.com", "unix:/run/x.sock ssl")),
            (Lines{"a.com a @/run/x.sock a.com -"}));
  EXPECT_EQ(seen(server("a", "a.com", "www.example.com:443 ssl")),
            (Lines{"a.com a @www.example.com:443 a.com - UNPROVEN"}));
}

TEST(Routing, DistrustsLua) {
  EXPECT_EQ(seen(server("a", "a.com", "443 ssl", "ssl_certificate_by_lua_block { x = '}' }")),
            (Lines{"a.com a @127.0.0.1:443 a.com - UNPROVEN"}));
}

}  // namespace
}  // namespace certrebind::nginx
