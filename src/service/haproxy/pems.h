// Certificates as HAProxy loads them: which files a "crt" value names, and the certificate's name
// at HAProxy's control socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "service/haproxy/globals.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::haproxy {

// One certificate with its key: an entry of `show ssl cert`.
struct Pem {
  std::string name;         // HAProxy's name: the path as HAProxy composes it, not normalised
  std::string certificate;  // on this host
  std::string key;          // the same file for a combined PEM
  bool by_name = true;      // the configuration names this file itself, not its directory or bundle
  std::vector<Companion> companions;
};

struct Pems {
  std::vector<Pem> all;  // in HAProxy's loading order
  std::string problem;   // not empty if HAProxy finds nothing
};

// Certificate files by path on this host.
using Looks = std::unordered_map<std::string, std::shared_ptr<const OnDisk>>;

// Resolves the value of "crt" in a `bind` line or a crt-list: a file, a directory, the base name of
// a bundle, or "@store/name".
class PemFinder {
 public:
  PemFinder(const Globals& globals, std::string directory, const Root& root)
      : globals_(globals), directory_(std::move(directory)), root_(root) {}

  Pems find(std::string_view value) const;
  // The values of a crt-list, in parallel, because there may be ten thousand. A crt-list cannot
  // name directories. Reads the certificates as well, because reading also distinguishes a file
  // from a directory.
  std::vector<Pems> find_listed(const std::vector<std::string_view>& values) const;
  // Sets a key that an option of a crt-list names separately.
  void set_key(Pem& pem, const std::string& key) const;
  // A certificate whose key is named separately, as in `ssl-f-use crt … key …`.
  Pem with_key(std::string_view certificate, std::string_view key) const;

  // The directories that were named as a whole; certificates may be added to them.
  const std::vector<std::string>& directories() const { return directories_; }
  // The certificates read so far, so that the caller need not read them again.
  Looks take_looked_at() { return std::move(looked_at_); }

 private:
  using Names = std::unordered_set<std::string>;
  const Names& further_files(const std::string& directory) const;
  std::string in_base(std::string_view value) const;
  std::optional<FileKind> kind_of(const std::string& name) const;
  Pems listed(std::string_view value, std::shared_ptr<const OnDisk> look) const;
  Pems find_in_store(std::string_view value) const;
  Pems find_in_directory(const std::string& name) const;
  Pems find_bundle(const std::string& name) const;
  Pem pem_of(const std::string& name) const;
  void add_load(Pem& pem) const;
  std::string loaded_from(const CertificateStore& store, const Load& load) const;
  void add_companion(const Pem& pem, Companion::Kind kind, const char* extension,
                     std::vector<Companion>& into) const;
  std::string beside(const std::string& certificate, const char* extension) const;
  std::string on_host(const std::string& name) const;
  bool exists(const std::string& on_host) const;

  const Globals& globals_;
  std::string directory_;
  const Root& root_;
  mutable std::vector<std::string> directories_;
  mutable Looks looked_at_;
  // Directory listings, because ten thousand certificates in one directory would need fifty
  // thousand file checks.
  mutable std::unordered_map<std::string, Names> listed_;
};

}  // namespace certrebind::haproxy
