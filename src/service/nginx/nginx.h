// nginx: its bindings, and how it loads new files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/service.h"

namespace certrebind {

namespace nginx {

// One nginx with its configuration. Paths are inside its root unless said otherwise.
struct Instance {
  std::string executable;  // on this host
  std::string config;      // absolute
  std::string prefix;      // absolute; empty if unknown
  std::string root = "/";
  std::vector<std::string> extra_arguments;  // the master's -g DIRECTIVES and -e FILE
  std::optional<SignalReload> master;        // unset: not running
  Trust trust;
  uint32_t user = 0;  // the master's
};

// The directive argument for `path`: unchanged if nginx reads it correctly so, otherwise in double
// quotes. An error for a path that no quoting can express, because nginx evaluates "$" in it.
Result<std::string> quoted_path(const std::string& path);

}  // namespace nginx

class NginxService final : public Service {
 public:
  NginxService(nginx::Instance instance, const Files& files);

  const ServiceId& id() const override { return id_; }
  const Files& files() const override { return files_; }
  Result<Discovery> bindings() const override;
  // Paths in `files` are absolute on this host and must be inside the server's root.
  Result<std::vector<FileEdit>> repoint(const Binding& binding,
                                        const CertificateFiles& files) const override;
  // `nginx -t` with the master's own arguments.
  std::optional<Command> config_test() const override;
  // `nginx -t` loads everything that a reload loads. Only -T reports what nginx sees, and it loads
  // everything as well; tests/nginx_t compares with it.
  std::optional<SelfReport> self_report() const override { return std::nullopt; }
  Reload reload() const override { return {instance_.master}; }
  // A master that cannot load its new configuration continues with the old one.
  OnBadCertificate on_bad_certificate() const override { return OnBadCertificate::keeps_old; }
  uint32_t key_reader() const override { return instance_.user; }

 private:
  Result<FileEdit> edit(const NamedFile& named, const std::string& path) const;

  nginx::Instance instance_;
  const Files& files_;
  ServiceId id_;
};

}  // namespace certrebind
