// Certificates as HAProxy loads them: which files a "crt" value names, and the certificate's name
// at HAProxy's control socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "service/haproxy/crt_store.h"
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
  bool updates_ocsp = false;  // HAProxy itself fetches OCSP responses
  bool acme = false;          // HAProxy renews it itself, in its memory only
};

struct Pems {
  std::vector<Pem> all;       // in HAProxy's loading order
  std::string problem;        // not empty if HAProxy finds nothing
  bool is_directory = false;  // the value named a directory
};

// Certificate files by path on this host.
using Looks = std::unordered_map<std::string, std::shared_ptr<const OnDisk>>;

// Resolves the value of "crt": a file, a directory, the base name of a bundle, or "@store/name".
//
// HAProxy knows each certificate by its name and loads it once. So a name that is used again gives
// the files of its first use, even where its path leads elsewhere. Only relative paths do that, and
// the names that a crt-store or options give to files.
class PemFinder {
 public:
  PemFinder(const Config& config, const Globals& globals, const Root& root);

  // `bases`: those of the line.
  Pems find(std::string_view value, const Bases& bases);
  // The lines of a crt-list, or one `ssl-f-use`, in parallel, because there may be ten thousand.
  // They cannot name directories. Reads the certificates as well, because reading also
  // distinguishes a file from a directory.
  struct Listed {
    std::string_view value;
    LoadOptions options;
  };
  std::vector<Pems> find_listed(const std::vector<Listed>& lines, const Bases& bases);

  // The directories that were named as a whole; certificates may be added to them.
  const std::vector<std::string>& directories() const { return directories_; }
  // The certificates read so far, so that the caller need not read them again.
  Looks take_looked_at() { return std::move(looked_at_); }

 private:
  using Names = std::unordered_set<std::string>;
  const Names& further_files(const std::string& directory);
  static std::string name_of(std::string_view value, const Bases& bases);
  Pems find_line(const Listed& line, std::shared_ptr<const OnDisk> look, const Bases& bases);
  Pems find_file(const std::string& name, std::shared_ptr<const OnDisk> look, const Bases& bases);
  Pems find_in_directory(const std::string& name, const Bases& bases);
  Pems find_bundle(const std::string& name, const Bases& bases);
  // The certificate of this name, with what lies beside it.
  Pem pem_of(const std::string& name, const Bases& bases);
  void add_what_lies_beside(Pem& pem);
  Pem pem_with(const std::string& name, const std::string& file, const LoadOptions& options,
               const std::string& directory) const;
  void add_companion(const Pem& pem, Companion::Kind kind, const char* extension,
                     std::vector<Companion>& into);
  std::string beside(const std::string& certificate, const char* extension) const;
  bool exists(const std::string& on_host);

  const Globals& globals_;
  const Root& root_;
  std::unordered_map<std::string, Pem> known_;  // by name
  std::vector<std::string> directories_;
  Looks looked_at_;
  // Directory listings, because ten thousand certificates in one directory would need fifty
  // thousand file checks.
  std::unordered_map<std::string, Names> listed_;
};

}  // namespace certrebind::haproxy
