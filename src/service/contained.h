// A server in a container, as it is managed from outside. No program of the container is run, so
// there is no test, and no control socket is asked. Files are changed only where they lie on this
// host and the container cannot change them itself.
#pragma once

#include <memory>

#include "service/service.h"
#include "sys/container.h"

namespace certrebind {

class ContainedService final : public Service {
 public:
  // `inner` knows the configuration; its files are those of the container.
  ContainedService(std::unique_ptr<Service> inner, ContainerPaths paths);

  // Below "/proc/PID/root": several containers may have one file of this host as configuration.
  const ServiceId& id() const override { return id_; }
  const Files& files() const override { return inner_->files(); }
  Result<Discovery> bindings() const override;
  Result<std::vector<FileEdit>> repoint(const Binding& binding,
                                        const CertificateFiles& files) const override;
  std::optional<Command> config_test() const override { return std::nullopt; }
  std::optional<SelfReport> self_report() const override { return std::nullopt; }
  Reload reload() const override;
  OnBadCertificate on_bad_certificate() const override { return inner_->on_bad_certificate(); }
  uint32_t key_reader() const override { return inner_->key_reader(); }

 private:
  std::string why_not_written(const Binding& binding, const std::vector<Mount>& mounts) const;
  std::string why_not_written_at(const std::string& path, const std::vector<Mount>& mounts) const;

  std::unique_ptr<Service> inner_;
  ContainerPaths paths_;
  ServiceId id_;
};

}  // namespace certrebind
