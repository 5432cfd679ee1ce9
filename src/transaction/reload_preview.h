// What a server would load from disk now.
//
// Reading everything takes long for thousands of sites, and only what is on disk at the time of the
// reload counts. So the files are read while the server's own test runs. Before the signal they are
// read again only if something changed: a file that was read, or a directory in which new files
// could appear.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/service.h"

namespace certrebind {

// Inode, size and times of files and directories. Any change shows in these.
class Stamps {
 public:
  Stamps() = default;
  Stamps(const Files& files, std::vector<std::string> paths);

  const std::vector<std::string>& paths() const { return paths_; }
  bool still_hold(const Files& files) const;

 private:
  std::vector<std::string> paths_;
  std::vector<std::optional<FileInfo>> seen_;  // unset: the path does not exist
};

class ReloadPreview {
 public:
  // `service` may be null: then there is nothing to load. Files are read with the rights of the
  // service's owner.
  ReloadPreview(const Service* service, const Files& files)
      : service_(service), files_(service == nullptr ? files : service->files()) {}

  // The configuration files at the last survey. A reading can be reused only if the list of files
  // was known before it.
  void expect(std::vector<std::string> configured_by) {
    discovery_->configured_by = std::move(configured_by);
  }

  // The addresses on which the server would listen; empty if its configuration cannot be read.
  const std::vector<ListenAddress>& listens();
  // Why a reload would stop the server; empty if nothing is wrong, and always empty for a server
  // that survives a bad certificate.
  const std::string& why_not();
  // The path of an encrypted key that the server would load, of which only the server can tell
  // whether it belongs to its certificate; empty if there is none, as for why_not.
  std::string encrypted_key();
  // How to start the server in isolation; only for a server that a bad certificate stops.
  const std::optional<Rehearsal>& rehearsal();

 private:
  void look_at_configuration();
  void look_at_pairs();

  const Service* service_;
  const Files& files_;
  Result<Discovery> discovery_ = Discovery();
  std::optional<Stamps> configured_;  // from before the configuration was read
  std::optional<Stamps> pairs_;
  std::string why_not_;
  bool knows_rehearsal_ = false;
  std::optional<Rehearsal> rehearsal_;
};

}  // namespace certrebind
