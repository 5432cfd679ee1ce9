// From what a person types for OLD and NEW to certificates.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "state/settings.h"
#include "store/stores.h"
#include "survey/survey.h"
#include "x509/bundle.h"
#include "x509/key.h"

namespace certrebind {

// A certificate that is known, and from where.
struct KnownCertificate {
  CertificateOutline outline;
  std::string der;
  std::string path;   // where its file lies, or lay; empty for one that is only served
  std::string where;  // "bound", "stored", "seen before", "served"
};

// All that a thumbprint may mean on this host, without connecting to anything: in the order
// in which they were added.
class KnownCertificates {
 public:
  void add_bound(const Survey& survey);
  void add_stored(const Files& files, const std::vector<StoreSetting>& stores);
  void add_seen(const std::vector<Sighting>& sightings);
  void add_served(const std::string& leaf_der);

  // Code::not_found if nothing fits, Code::usage if several certificates do or it is no thumbprint.
  Result<KnownCertificate> find(const std::string& typed) const;
  const std::vector<KnownCertificate>& all() const { return known_; }

 private:
  void add(CertificateOutline outline, std::string der, std::string path, std::string where);
  std::vector<KnownCertificate> known_;
};

// The leaf and the chain in this PEM file; an error names the file.
Result<Bundle> read_bundle(const Files& files, const std::string& path);

// True if `typed` is meant as a path: it holds a slash, or is no thumbprint.
bool is_path(const std::string& typed);

struct OldCertificate {
  Thumbprint thumbprint;
  Bundle bundle;  // with the chain of its file where that still holds it, else the leaf alone
  bool has_file = false;  // the chain above is what its file said
};

// From a path (its leaf now) or a thumbprint.
Result<OldCertificate> identify_old(const Files& files, const KnownCertificates& known,
                                    const std::string& typed);

struct NewCertificate {
  Bundle bundle;
  CertificateFiles files;            // where its certificate and its key lie
  std::string key_blocks;            // PEM of the private key: never shown
  std::optional<StoreSetting> home;  // the store in which it lies; none for a loose file
  KeyState key = KeyState::none;     // of what lies at files.key
};

// From a path (with its key there, at `key_path`, or beside it) or a thumbprint that lies in a
// file. What is wrong with the key is for preflight to say; an Error means that there is no
// certificate at all.
Result<NewCertificate> identify_new(const Files& files, const KnownCertificates& known,
                                    const std::vector<StoreSetting>& stores,
                                    const std::string& typed, const std::string& key_path);

}  // namespace certrebind
