// Identifies the certificates that a person names as OLD and NEW, by path or by thumbprint.
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

// A known certificate, and where it is known from.
struct KnownCertificate {
  CertificateOutline outline;
  std::string der;
  std::string path;   // path of its file, now or in the past; empty if it is only served
  std::string where;  // "bound", "stored", "seen before", "served"
};

// All certificates that a thumbprint may mean on this host, in the order in which they were added.
// Nothing is connected to.
class KnownCertificates {
 public:
  void add_bound(const Survey& survey);
  void add_stored(const Files& files, const std::vector<StoreSetting>& stores);
  void add_seen(const std::vector<Sighting>& sightings);
  void add_served(const std::string& leaf_der);

  // Fails with Code::not_found if nothing matches. Fails with Code::usage if several certificates
  // match, or if `typed` is not a thumbprint.
  Result<KnownCertificate> find(const std::string& typed) const;
  const std::vector<KnownCertificate>& all() const { return known_; }

 private:
  void add(CertificateOutline outline, std::string der, std::string path, std::string where);
  std::vector<KnownCertificate> known_;
};

// True if `typed` means a path: it contains a slash, or it is not a thumbprint.
bool is_path(const std::string& typed);

struct OldCertificate {
  Thumbprint thumbprint;
  Bundle bundle;  // leaf and the chain of its file; only the leaf if no file holds it any more
  bool has_file = false;  // the chain comes from the file
};

// `typed` is a path (its current leaf) or a thumbprint.
Result<OldCertificate> identify_old(const Files& files, const KnownCertificates& known,
                                    const std::string& typed);

struct NewCertificate {
  Bundle bundle;
  CertificateFiles files;            // paths of its certificate and its key
  std::string key_blocks;            // PEM of the private key: never shown
  std::optional<StoreSetting> home;  // the store that contains it; empty: in no store
  KeyState key = KeyState::none;     // state of the key at files.key
};

// `typed` is a path or the thumbprint of a certificate that some file holds. The key is read from
// `key_path`, else from where a binding of that path has it, else from that file, else from a file
// beside it. Preflight reports what is wrong with the key; an Error means that no certificate was
// found.
Result<NewCertificate> identify_new(const Files& files, const KnownCertificates& known,
                                    const std::vector<StoreSetting>& stores, const Survey& survey,
                                    const std::string& typed, const std::string& key_path);

}  // namespace certrebind
