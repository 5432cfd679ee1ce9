// A service that a TOML file describes.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "service/described/description.h"
#include "service/described/settings_tree.h"
#include "service/service.h"
#include "sys/processes.h"

namespace certrebind {

namespace described {

// One instance. Paths are inside its root unless said otherwise.
struct Instance {
  std::shared_ptr<const Description> description;
  std::string executable;  // on this host; empty: not installed
  std::string root = "/";
  std::string configuration;                // the main file
  std::vector<std::string> arguments = {};  // of the running process
  // For the programs that print, test and reload it: "NAME=value".
  std::vector<std::string> environment = {};
  std::optional<SignalReload> process = {};  // unset: not running
  Trust trust = {};
};

}  // namespace described

class DescribedService final : public Service {
 public:
  DescribedService(described::Instance instance, const Files& files, Commands& commands);

  const ServiceId& id() const override { return id_; }
  const Files& files() const override { return files_; }
  Result<Discovery> bindings() const override;
  // Code::unsupported unless the description allows edits and the value stands in a file.
  Result<std::vector<FileEdit>> repoint(const Binding& binding,
                                        const CertificateFiles& files) const override;
  std::optional<Command> config_test() const override;
  std::optional<SelfReport> self_report() const override { return std::nullopt; }
  Reload reload() const override;
  OnBadCertificate on_bad_certificate() const override;
  uint32_t key_reader() const override;
  std::optional<UnsafeReload> unsafe_reload() const override;

 private:
  Result<FileEdit> edit(const NamedFile& named, const std::string& path) const;
  // `tree`: the settings that the words may name; `fixed`: what else they may name.
  Result<Command> command_of(const std::vector<std::string>& words,
                             const described::SettingsTree& tree,
                             const std::map<std::string, std::string>& fixed) const;
  Done run_as_root(const described::ReloadDescription& how, Command& command) const;
  Done add_commands(const described::ReloadDescription& how, const described::SettingsTree& tree,
                    CommandReload& into) const;
  Reload find_reload() const;
  Result<SocketReload> find_socket(const described::ReloadDescription& how,
                                   const described::SettingsTree& tree) const;
  Reload not_now(const std::string& why, const Error& error) const;
  Reload reload_by(const described::ReloadDescription& how,
                   const described::SettingsTree& tree) const;
  Result<described::SettingsTree> settings() const;

  described::Instance instance_;
  const Files& files_;
  Commands& commands_;
  std::map<std::string, std::string> fixed_;  // for templates
  ServiceId id_;
  // Found once: whoever waits for the server asks again and again.
  mutable std::once_flag found_;
  mutable Reload reload_;
};

}  // namespace certrebind
