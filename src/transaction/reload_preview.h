// What a server would load from disk now.
//
// Reading it all takes long where there are thousands of sites, and what matters is what lies there
// when the server is told. So it is read beside the server's own test, and before the signal once
// more only if something has changed since: a file that was read, or a directory where others would
// be found.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/service.h"

namespace certrebind {

// How files and directories look from outside: inode, size and times. Any change shows in these.
class Stamps {
 public:
  Stamps() = default;
  Stamps(const Files& files, std::vector<std::string> paths);

  const std::vector<std::string>& paths() const { return paths_; }
  bool still_hold(const Files& files) const;

 private:
  std::vector<std::string> paths_;
  std::vector<std::optional<FileInfo>> seen_;  // unset: there is nothing
};

class ReloadPreview {
 public:
  // `service` may be null: then there is nothing to load.
  // It is read as whoever owns the service.
  ReloadPreview(const Service* service, const Files& files)
      : service_(service), files_(service == nullptr ? files : service->files()) {}

  // What configured the service when it was last surveyed: a reading can be relied upon later only
  // if it was known before what there is to read.
  void expect(std::vector<std::string> configured_by) {
    discovery_->configured_by = std::move(configured_by);
  }

  // Where the server would listen; nowhere, if its configuration cannot be read.
  const std::vector<ListenAddress>& listens();
  // Why a reload would end the server; empty where nothing speaks against it, and for a server that
  // no certificate ends.
  const std::string& why_not();
  // How a server that a certificate ends is started apart; nothing for any other.
  const std::optional<Rehearsal>& rehearsal();

 private:
  void look_at_configuration();
  void look_at_pairs();

  const Service* service_;
  const Files& files_;
  Result<Discovery> discovery_ = Discovery();
  std::optional<Stamps> configured_;  // from before it was read
  std::optional<Stamps> pairs_;
  std::string why_not_;
  bool knows_rehearsal_ = false;
  std::optional<Rehearsal> rehearsal_;
};

}  // namespace certrebind
