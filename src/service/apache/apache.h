// Apache httpd: its bindings, and how it loads new files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/apache/config.h"
#include "service/service.h"

namespace certrebind {

namespace apache {

// One httpd with its configuration. Paths are inside its root unless said otherwise.
struct Instance {
  std::string executable;  // on this host
  std::string root = "/";
  Given given;
  std::vector<std::string> environment;  // "NAME=value", from the start of the process
  std::optional<SignalReload> master;    // unset: not running
  Trust trust;
  uint32_t user = 0;  // the master's
};

// The directive argument for `path`: unchanged if httpd reads it correctly so, otherwise in double
// quotes. An error for a path that no quoting can express, because httpd expands variables in it.
Result<std::string> quoted_path(const std::string& path);

// Marks a server that a rehearsal started.
inline constexpr const char* kRehearsalDefine = "CERTREBIND_REHEARSAL";

}  // namespace apache

class ApacheService final : public Service {
 public:
  // `files` must outlive the service.
  ApacheService(apache::Instance instance, const Files& files);

  const ServiceId& id() const override { return id_; }
  const Files& files() const override { return files_; }
  Result<Discovery> bindings() const override;
  Result<std::vector<FileEdit>> repoint(const Binding& binding,
                                        const CertificateFiles& files) const override;
  // `httpd -t`, which reads the configuration and loads no certificate.
  std::optional<Command> config_test() const override;
  // `httpd -t -D DUMP_CERTS`, and a rehearsal of the whole server.
  std::optional<SelfReport> self_report() const override;
  Reload reload() const override { return {instance_.master}; }
  // A certificate that cannot be loaded ends the master and all its sites.
  OnBadCertificate on_bad_certificate() const override { return OnBadCertificate::dies; }
  uint32_t key_reader() const override { return instance_.user; }

 private:
  Result<std::string> written(const std::string& path) const;
  std::vector<std::string> arguments() const;
  std::vector<Diagnostic> doubts(const CommandOutput& own_view,
                                 const std::vector<std::string>& named) const;
  std::optional<Rehearsal> rehearsal() const;

  apache::Instance instance_;
  const Files& files_;
  ServiceId id_;
};

}  // namespace certrebind
