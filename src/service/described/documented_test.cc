// Descriptions of the product that follow documentation only: no live test runs these servers.
#include <gtest/gtest.h>

#include <algorithm>

#include "service/described/builtin.h"
#include "service/described/described.h"
#include "sys/memory_files.h"
#include "sys/scripted.h"

namespace certrebind::described {
namespace {

class DocumentedTest : public testing::Test {
 protected:
  void describe(const std::string& kind) {
    for (const BuiltinDescription& builtin : builtin_descriptions()) {
      auto read = parse_description(builtin.file, builtin.text);
      if (read && read->kind == kind)
        instance_.description = std::make_shared<const Description>(std::move(*read));
    }
    ASSERT_TRUE(instance_.description) << kind;
    instance_.process.emplace();
  }

  DescribedService service() { return {instance_, files_, commands_}; }

  // "CERTIFICATE KEY at ADDRESS for NAME…" of every endpoint; "-" for none.
  std::vector<std::string> bound() {
    std::vector<std::string> all;
    auto found = service().bindings();
    EXPECT_TRUE(found);
    if (!found) return all;
    for (const Diagnostic& each : found->diagnostics)
      all.push_back(each.file + ":" + std::to_string(each.line) + " " + each.message);
    for (const Binding& binding : found->bindings)
      for (const Endpoint& endpoint : binding.endpoints) {
        std::string names = endpoint.without_sni ? " -" : "";
        for (const std::string& name : endpoint.probe_names) names += " " + name;
        all.push_back(binding.certificate.path + " " + binding.key.path + " at " +
                      endpoint.address.text() + " for" + names);
      }
    return all;
  }

  MemoryFiles files_;
  ScriptedCommands commands_;
  Instance instance_;
};

using Found = std::vector<std::string>;

TEST_F(DocumentedTest, EnvoyWithSecretsInFiles) {
  describe("envoy");
  instance_.configuration = "/etc/envoy/envoy.yaml";
  const std::string chain = R"(
        transport_socket:
          name: envoy.transport_sockets.tls
          typed_config:
            "@type": type.googleapis.com/envoy.x.DownstreamTlsContext
            common_tls_context:
              tls_certificate_sds_secret_configs:
              - name: x
                sds_config:
                  path_config_source:
                    path: )";
  auto secret = [](const std::string& name) {
    return "resources:\n  - \"@type\": type.googleapis.com/envoy.x.v3.Secret\n    name: x\n"
           "    tls_certificate:\n      certificate_chain:\n        filename: /tls/" +
           name + ".pem\n      private_key:\n        filename: /tls/" + name + ".key\n";
  };
  files_.put("/etc/envoy/envoy.yaml",
             "static_resources:\n  listeners:\n  - address:\n      socket_address:\n"
             "        address: 127.0.0.1\n        port_value: 8443\n    filter_chains:\n"
             "      - filter_chain_match:\n          server_names: [\"a.test\"]" +
                 chain +
                 "/etc/envoy/a.yaml\n      - filters:\n          - name: x\n            path: /x" +
                 chain + "sds/b.yaml\n" +
                 "  - address:\n      socket_address: {address: 127.0.0.2, port_value: 9443}\n"
                 "    filter_chains:\n      - name: one\n" +
                 chain.substr(1) + "sds/b.yaml\n");
  files_.put("/etc/envoy/a.yaml", secret("a"));
  files_.put("/etc/envoy/sds/b.yaml", secret("b"));
  EXPECT_EQ(bound(), (Found{"/tls/b.pem /tls/b.key at 127.0.0.1:8443 for -",
                            "/tls/b.pem /tls/b.key at 127.0.0.2:9443 for -",
                            "/tls/a.pem /tls/a.key at 127.0.0.1:8443 for a.test"}));
  EXPECT_TRUE(service().reload().per_connection);
}

TEST_F(DocumentedTest, EnvoyWithACertificateOfItsOwn) {
  describe("envoy");
  instance_.configuration = "/etc/envoy/envoy.yaml";
  files_.put("/etc/envoy/envoy.yaml", R"(
static_resources:
  secrets:
  - name: y
    tls_certificate: {certificate_chain: {filename: /y.pem}}
  listeners:
  - filter_chains:
    - transport_socket:
        typed_config:
          common_tls_context:
            tls_certificates:
            - certificate_chain: {filename: /x.pem}
)");
  const Found all = bound();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(std::ranges::all_of(all,
                                  [](const std::string& each) {
                                    return each.starts_with(
                                        "/etc/envoy/envoy.yaml:0 Envoy loads a ");
                                  }))
      << all.front() << all.back();
}

TEST_F(DocumentedTest, TraefikWithADirectory) {
  describe("traefik");
  instance_.configuration = "/etc/traefik/traefik.yml";
  files_.put("/etc/traefik/traefik.yml", R"(
entryPoints:
  web:
    address: 127.0.0.1:80
  websecure:
    address: 127.0.0.1:8443
    http:
      tls: {}
  other:
    address: ":443"
providers:
  file:
    directory: /etc/traefik/dynamic
    watch: true
)");
  files_.put("/etc/traefik/dynamic/tls.yaml", R"(
tls:
  certificates:
    - certFile: /tls/a.pem
      keyFile: /tls/a.key
  stores:
    default:
      defaultCertificate:
        certFile: /tls/d.pem
        keyFile: /tls/d.key
)");
  EXPECT_EQ(bound(), (Found{"/tls/a.pem /tls/a.key at 127.0.0.1:8443 for",
                            "/tls/a.pem /tls/a.key at 127.0.0.1:443 for",
                            "/tls/d.pem /tls/d.key at 127.0.0.1:8443 for",
                            "/tls/d.pem /tls/d.key at 127.0.0.1:443 for"}));
  files_.put("/usr/bin/touch", "", 0755);
  const Reload reload = service().reload();
  ASSERT_TRUE(reload.commands) << reload.restart_only;
  EXPECT_EQ(reload.commands->commands.front().arguments,
            (Found{"/usr/bin/touch", "-c", "--", "/etc/traefik/dynamic"}));
}

TEST_F(DocumentedTest, MinioWithADirectoryOfCertificates) {
  describe("minio");
  instance_.configuration = "/etc/minio/certs";
  instance_.arguments = {"minio",     "server", "--certs-dir", "/etc/minio/certs",
                         "--address", ":9443"};
  for (const char* name :
       {"public.crt", "private.key", "a.test/public.crt", "a.test/private.key", "CAs/other.crt"})
    files_.put(std::string("/etc/minio/certs/") + name, "x");
  EXPECT_EQ(bound(),
            (Found{"/etc/minio/certs/public.crt /etc/minio/certs/private.key at "
                   "127.0.0.1:9443 for -",
                   "/etc/minio/certs/a.test/public.crt /etc/minio/certs/a.test/private.key "
                   "at 127.0.0.1:9443 for"}));
}

// What `doveconf -P` of 2.4.1 prints: nothing of the listeners that nobody configured.
TEST_F(DocumentedTest, CockpitAtThePortOfADropIn) {
  describe("cockpit");
  instance_.configuration = "/etc/cockpit/ws-certs.d";
  files_.put("/etc/cockpit/ws-certs.d/50.cert", "x");
  files_.put("/etc/cockpit/ws-certs.d/50.key", "x");
  const std::string pair = "/etc/cockpit/ws-certs.d/50.cert /etc/cockpit/ws-certs.d/50.key at ";
  EXPECT_EQ(bound(), (Found{pair + "127.0.0.1:9090 for -"}));
  const std::string drop_in = "/etc/systemd/system/cockpit.socket.d/listen.conf";
  files_.put(drop_in, "[Socket]\nListenStream=\nListenStream=443\n");
  EXPECT_EQ(bound(), (Found{pair + "127.0.0.1:443 for -"}));
  files_.put(drop_in, "[Socket]\nListenStream=127.0.0.2:8443\n");
  EXPECT_EQ(bound(), (Found{pair + "127.0.0.2:8443 for -"}));
}

TEST_F(DocumentedTest, DovecotWithListenersOfItsOwn) {
  describe("dovecot");
  instance_.executable = "/usr/sbin/dovecot";
  instance_.configuration = "/etc/dovecot/dovecot.conf";
  files_.put("/usr/sbin/dovecot", "", 0755);
  files_.put("/etc/dovecot/dovecot.conf", "x");
  files_.put("/usr/bin/doveconf", "", 0755);
  const std::string printed = R"(dovecot_config_version = 2.4.0
listen = 127.0.0.1
protocols {
  imap = yes
  submission = yes
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener more {
    port = 9930
    listen = 127.0.0.2
    ssl = yes
  }
}
ssl_server {
  cert_file = /tls/c.pem
  key_file = /tls/k.pem
}
protocol submission {
  ssl_server {
    cert_file = /tls/s.pem
    key_file = /tls/s.key
  }
}
)";
  commands_.answer = [&](const Command& command) {
    const bool is_version = command.arguments.back() == "--version";
    return CommandOutput{.status = 0, .output = is_version ? "2.4.0 (1234567)" : printed};
  };
  EXPECT_EQ(bound(), (Found{"/tls/c.pem /tls/k.pem at 127.0.0.2:9930 for -",
                            "/tls/c.pem /tls/k.pem at 127.0.0.1:993 for -",
                            "/tls/s.pem /tls/s.key at 127.0.0.1:587 for -",
                            "/tls/s.pem /tls/s.key at 127.0.0.1:465 for -"}));
}

}  // namespace
}  // namespace certrebind::described
