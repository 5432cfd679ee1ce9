// Certificates as HAProxy loads them: what one "crt" names, in which files it lies, and what
// HAProxy calls it at its control socket.
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
  std::string name;         // HAProxy's: the path as it was put together, not tidied
  std::string certificate;  // on this host
  std::string key;          // the same file for a combined PEM
  bool by_name = true;      // the configuration names this very file: not its directory or bundle
  std::vector<Companion> companions;
};

struct Pems {
  std::vector<Pem> all;  // in the order in which HAProxy loads them
  std::string problem;   // not empty where HAProxy finds nothing
};

// What lies at a path, on this host.
using Looks = std::unordered_map<std::string, std::shared_ptr<const OnDisk>>;

// Takes the value of "crt" as it stands in a `bind` line or a crt-list: a file, a directory, the
// base name of a bundle, or "@store/name".
class PemFinder {
 public:
  PemFinder(const Globals& globals, std::string directory, const Root& root)
      : globals_(globals), directory_(std::move(directory)), root_(root) {}

  Pems find(std::string_view value) const;
  // Those of a crt-list, which takes no directories, side by side: there may be ten thousand.
  // The certificates are read on the way: that tells a file from a directory, too.
  std::vector<Pems> find_listed(const std::vector<std::string_view>& values) const;
  // Its key is named apart, by an option of a crt-list.
  void set_key(Pem& pem, const std::string& key) const;
  // With a key named apart, as in `ssl-f-use crt … key …`.
  Pem with_key(std::string_view certificate, std::string_view key) const;

  // The directories that were named as a whole: a certificate may come to lie there.
  const std::vector<std::string>& directories() const { return directories_; }
  // What was read so far, for who reads the others.
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
  // By directory: ten thousand certificates in one would be asked for fifty thousand files.
  mutable std::unordered_map<std::string, Names> listed_;
};

}  // namespace certrebind::haproxy
