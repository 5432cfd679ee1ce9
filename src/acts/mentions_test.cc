#include "acts/mentions.h"

#include <gtest/gtest.h>

namespace certrebind {
namespace {

TEST(Mentions, EveryDirectiveCounts) {
  const OwnCertificate own{"/etc/certrebind/certificates", "a.test"};
  for (const char* line :
       {"ssl_client_certificate /etc/certrebind/certificates/a.test/current/fullchain.pem;",
        "bind :443 ssl crt x ca-file '/etc/certrebind/certificates/a.test/0001/cert.pem'",
        "  ca-file a.test/current/chain.pem", "ssl_trusted_certificate certificates/a.test;",
        "ssl_certificate /etc/certrebind/certificates/$ssl_server_name/current/fullchain.pem;",
        "ssl_certificate /etc/certrebind/$kind/x.pem;",
        "SSLCACertificateFile ${D}/${N}/current/cert.pem",
        "ssl_certificate \"../certrebind/certificates/$n/current/cert.pem\";"})
    EXPECT_EQ(line_mentioning(std::string("# first\n") + line + "\n", own), 2) << line;
  for (const char* line :
       {"", "server_name a.test;", "root /srv/a.test/htdocs;", "try_files $uri /$uri;",
        "crt /etc/certrebind/certificates/a.test.old/current/cert.pem",
        "crt /etc/certrebind/certificates/xa.test/current/cert.pem",
        "access_log /var/log/$host.log;"})
    EXPECT_EQ(line_mentioning(line, own), 0) << line;
}

}  // namespace
}  // namespace certrebind
