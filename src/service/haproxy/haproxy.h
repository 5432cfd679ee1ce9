// HAProxy: its bindings, and how it loads new files.
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
  Started started;
  std::optional<SignalReload> master;  // unset: not running
  std::string
      restart_only;  // not empty: why only a restart loads new files; it runs without a master
  Trust trust;
  bool vouched = false;  // root's by its configuration only: see discover.cc
  uint32_t user = 0;     // the user id that reads the keys
};

}  // namespace haproxy

class HaproxyService final : public Service {
 public:
  HaproxyService(haproxy::Instance instance, const Files& files);

  const ServiceId& id() const override { return id_; }
  const Files& files() const override { return files_; }
  Result<Discovery> bindings() const override;
  // Only files whose key HAProxy can find can be named: a combined PEM, or one with a key file
  // FILE.key beside it, unless the configuration names the key separately.
  Result<std::vector<FileEdit>> repoint(const Binding& binding,
                                        const CertificateFiles& files) const override;
  // `haproxy -c` in the master's directory and with its environment.
  std::optional<Command> config_test() const override;
  std::optional<SelfReport> self_report() const override { return std::nullopt; }
  Reload reload() const override;
  // A master that cannot load its new configuration continues with the old worker.
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
