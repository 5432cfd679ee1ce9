#include "service/nginx/bindings.h"

#include "service/nginx/view_for_test.h"

namespace certrebind::nginx {
namespace {

Discovery found(const std::string& text) {
  return View::of(text).discovery();
}

std::string text_at(const std::string& text, const Span& span) {
  return text.substr(span.begin, span.end - span.begin);
}

TEST(Bindings, NameFilesWithTheirPlaces) {
  std::string text =
      "http { server {\n listen 443 ssl;\n ssl_certificate \"certs/a b.pem\";\n"
      " ssl_certificate_key '/k/a.key'; } }";
  Discovery all = found(text);
  ASSERT_EQ(all.bindings.size(), 1u);
  const Binding& binding = all.bindings[0];
  EXPECT_EQ(binding.certificate.path, "/etc/nginx/certs/a b.pem");
  EXPECT_EQ(text_at(text, binding.certificate.where), "\"certs/a b.pem\"");
  EXPECT_EQ(binding.certificate.where.text(), "/etc/nginx/nginx.conf:3");
  EXPECT_EQ(binding.certificate.where.column, 18);
  EXPECT_EQ(binding.key.path, "/k/a.key");
  EXPECT_EQ(text_at(text, binding.key.where), "'/k/a.key'");
  EXPECT_EQ(binding.site, "*:443");
  EXPECT_EQ(binding.role, Role::server);
  EXPECT_TRUE(binding.not_editable.empty());
  EXPECT_TRUE(all.diagnostics.empty());
}

TEST(Bindings, InheritWholeArrays) {
  Discovery all = found(
      "http { server { listen 1.1.1.1:443 ssl; server_name a; }"
      " server { listen 1.1.1.1:443 ssl; server_name b; ssl_certificate /b; }"
      " ssl_certificate /rsa; ssl_certificate /ec; ssl_certificate_key /rk; ssl_certificate_key "
      "/ek;}");
  ASSERT_EQ(all.bindings.size(), 3u);
  EXPECT_EQ(all.bindings[0].certificate.path + all.bindings[0].key.path, "/rsa/rk");
  EXPECT_EQ(all.bindings[1].certificate.path + all.bindings[1].key.path, "/ec/ek");
  EXPECT_EQ(all.bindings[2].certificate.path + all.bindings[2].key.path, "/b/rk");
}

TEST(Bindings, ShareASpanWhereACertificateIsInherited) {
  Discovery all = found(
      "http { ssl_certificate /a; ssl_certificate_key /k;"
      " server { listen 443 ssl; server_name a; } server { listen 443 ssl; server_name b; }"
      " server { listen 80; } }");
  ASSERT_EQ(all.bindings.size(), 2u);
  EXPECT_EQ(all.bindings[0].certificate.where, all.bindings[1].certificate.where);
  EXPECT_TRUE(all.diagnostics.empty());
}

TEST(Bindings, KnowWhatCannotBeEdited) {
  auto reason = [](const std::string& values) {
    Discovery all = found("http { server { listen 443 ssl; " + values + " } }");
    EXPECT_EQ(all.bindings.size(), 1u);
    EXPECT_EQ(all.bindings.at(0).endpoints.size(), 1u);
    return all.bindings.at(0).not_editable;
  };
  EXPECT_NE(reason("ssl_certificate /c/$ssl_server_name; ssl_certificate_key /k;").find("variable"),
            std::string::npos);
  EXPECT_NE(reason("ssl_certificate data:$x; ssl_certificate_key data:$y;").find("data:"),
            std::string::npos);
  EXPECT_NE(reason("ssl_certificate /c; ssl_certificate_key engine:pkcs11:x;").find("engine"),
            std::string::npos);
  EXPECT_NE(reason("ssl_certificate /c;").find("no ssl_certificate_key"), std::string::npos);
}

TEST(Bindings, NoteCertificatesThatNobodySees) {
  Discovery all = found(
      "http { ssl_certificate /x; ssl_certificate_key /k;"
      " server { listen 80; server_name a; ssl_certificate /a; } }");
  EXPECT_EQ(lines(all), (Lines{"a a"}));
  EXPECT_EQ(
      messages(all.diagnostics),
      (Lines{"/etc/nginx/nginx.conf:1:103: a names a certificate but listens nowhere with TLS",
             "/etc/nginx/nginx.conf:1:24: no server shows this certificate"}));
  EXPECT_EQ(all.diagnostics[0].severity, Severity::note);
}

TEST(Bindings, NameAServerThatNginxWouldRefuse) {
  Discovery all = found("http { server { listen 443 ssl; } }");
  ASSERT_EQ(all.diagnostics.size(), 1u);
  EXPECT_EQ(all.diagnostics[0].severity, Severity::error);
}

TEST(Bindings, ReadStreamServers) {
  Discovery all = found(
      "stream { ssl_certificate /a; ssl_certificate_key /k; proxy_ssl_certificate /c;"
      " server { listen 127.0.0.1:993-994 ssl; proxy_ssl_certificate_key /ck; }"
      " server { listen 53 udp; } server { listen 25; } }");
  EXPECT_EQ(lines(all), (Lines{"127.0.0.1:993 a @127.0.0.1:993 -",
                               "127.0.0.1:993 a @127.0.0.1:994 -", "127.0.0.1:993 c"}));
  EXPECT_EQ(all.bindings[1].role, Role::client);
}

TEST(Bindings, FindStapling) {
  Discovery all = found(
      "http { ssl_stapling ON; ssl_certificate /a; ssl_certificate_key /k;"
      " server { listen 443 ssl; } server { listen 444 ssl; ssl_stapling off; } }");
  ASSERT_EQ(all.bindings.size(), 2u);
  EXPECT_TRUE(all.bindings[0].stapling);
  EXPECT_FALSE(all.bindings[1].stapling);
}

TEST(Bindings, KnowWhereTheServerHasAPassphrase) {
  Discovery all = found(
      "http { ssl_certificate /a; ssl_certificate_key /k; proxy_ssl_password_file /p;"
      " server { listen 443 ssl; ssl_password_file /p;"
      " location /a { proxy_ssl_certificate /c; proxy_ssl_certificate_key /ck; }"
      " location /b { grpc_ssl_certificate /g; grpc_ssl_certificate_key /gk; } }"
      " server { listen 444 ssl; } }");
  ASSERT_EQ(all.bindings.size(), 4u);
  EXPECT_TRUE(all.bindings[0].has_passphrase);
  EXPECT_FALSE(all.bindings[1].has_passphrase);
  EXPECT_TRUE(all.bindings[2].has_passphrase) << "inherited, of the proxy module";
  EXPECT_FALSE(all.bindings[3].has_passphrase) << "of another module";
}

TEST(Bindings, FindClientCertificates) {
  Discovery all = found(
      "http { proxy_ssl_certificate_key /hk; server { server_name s; proxy_ssl_certificate /sc;"
      " location /a { location ~ \\.php$ { uwsgi_ssl_certificate u; uwsgi_ssl_certificate_key uk; "
      "} }"
      " location /b { proxy_ssl_certificate_key /bk; grpc_ssl_certificate /g; }"
      " location /c { proxy_ssl_certificate ''; } } }");
  Lines seen;
  for (const Binding& binding : all.bindings)
    seen.push_back(binding.site + " " + binding.certificate.path + " " + binding.key.path);
  EXPECT_EQ(seen, (Lines{"s /sc /hk", "s location /a location ~ \\.php$ /etc/nginx/u /etc/nginx/uk",
                         "s location /b /sc /bk"}));
  EXPECT_EQ(all.bindings[0].role, Role::client);
  EXPECT_TRUE(all.bindings[0].endpoints.empty());
  ASSERT_EQ(all.diagnostics.size(), 1u);  // grpc has no key
  EXPECT_EQ(all.diagnostics[0].severity, Severity::note);
}

TEST(Bindings, LeaveAloneWhatTheyDoNotKnow) {
  Discovery all = found(
      "mail { server { ssl_certificate /m; } }\n"
      "other { ssl_certificate /o; }\n"
      "server { ssl_certificate /s; }\n"
      "http { server { if ($x) { proxy_ssl_certificate /i; }\n"
      " location / { ssl_certificate_key /l; } }\n"
      " lua_ssl_certificate /u; map $a $b { ssl_certificate /row; } }\n"
      "stream { server { listen 1; grpc_ssl_certificate /g; } }");
  EXPECT_TRUE(all.bindings.empty());
  EXPECT_EQ(messages(all.diagnostics),
            (Lines{"/etc/nginx/nginx.conf:1:17: ssl_certificate in mail is left alone",
                   "/etc/nginx/nginx.conf:2:9: ssl_certificate in an unknown block is left alone",
                   "/etc/nginx/nginx.conf:3:10: ssl_certificate in an unknown block is left alone",
                   "/etc/nginx/nginx.conf:4:27: proxy_ssl_certificate in an `if` or `limit_except` "
                   "block is left alone",
                   "/etc/nginx/nginx.conf:5:15: ssl_certificate_key in a location is left alone",
                   "/etc/nginx/nginx.conf:6:2: lua_ssl_certificate in http is left alone",
                   "/etc/nginx/nginx.conf:7:29: grpc_ssl_certificate in a stream server is left "
                   "alone"}));
}

TEST(Bindings, StayInsideTheServersRoot) {
  View view(Texts{{"/jail/etc/nginx/nginx.conf",
                   "http { server { listen unix:/run/s ssl; ssl_certificate a; "
                   "ssl_certificate_key /k; } }"}},
            "/jail");
  Discovery all = view.discovery();
  ASSERT_EQ(all.bindings.size(), 1u);
  EXPECT_EQ(all.bindings[0].certificate.path, "/jail/etc/nginx/a");
  EXPECT_EQ(all.bindings[0].key.path, "/jail/k");
  EXPECT_EQ(all.bindings[0].key.where.file, "/jail/etc/nginx/nginx.conf");
  EXPECT_EQ(all.bindings[0].endpoints.at(0).address.unix_path, "/jail/run/s");
}

}  // namespace
}  // namespace certrebind::nginx
