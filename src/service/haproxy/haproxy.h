// HAProxy: what it binds, and how it takes up new files.
#pragma once

#include <optional>
#include <string>

#include "service/haproxy/config.h"
#include "service/service.h"

namespace certrebind {

namespace haproxy {

// One HAProxy with its configuration. Paths are inside its root unless said otherwise.
struct Instance {
  std::string executable;  // on this host
  std::string root = "/";
  std::string peer;  // -L
  Started started;
  std::optional<SignalReload> master;  // unset: not running
  std::string restart_only;            // not empty: it runs without a master, and says so
  Trust trust;
  bool vouched = false;  // root's by its configuration only: see discover.cc
  uint32_t user = 0;     // who read the keys
};

}  // namespace haproxy

class HaproxyService final : public Service {
 public:
  HaproxyService(haproxy::Instance instance, const Files& files);

  const ServiceId& id() const override { return id_; }
  const Files& files() const override { return files_; }
  Result<Discovery> bindings() const override;
  // Only what HAProxy finds its key by can be named: a combined PEM, or a key beside it called
  // FILE.key, unless the configuration names the key apart.
  Result<std::vector<FileEdit>> repoint(const Binding& binding,
                                        const CertificateFiles& files) const override;
  // `haproxy -c` from the master's directory and with its environment.
  std::optional<Command> config_test() const override;
  std::optional<SelfReport> self_report() const override { return std::nullopt; }
  Reload reload() const override;
  // A master that cannot load its new configuration goes on with the old worker.
  OnBadCertificate on_bad_certificate() const override { return OnBadCertificate::keeps_old; }
  uint32_t key_reader() const override { return instance_.user; }

 private:
  std::unique_ptr<LiveUpdate> live(const std::vector<std::string>& files) const;
  std::unique_ptr<LoadedView> view() const;

  haproxy::Instance instance_;
  const Files& files_;
  ServiceId id_;
};

}  // namespace certrebind
