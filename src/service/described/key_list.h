// Certificates, keys and issuers that a described server names in one list.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "service/root.h"
#include "x509/certificate.h"

namespace certrebind::described {

// A file that a setting names.
struct NamedPath {
  std::string path;  // absolute
  std::string text;  // as the setting has it; empty: no setting does
  bool operator==(const NamedPath&) const = default;
};

// Which file of a list has the key, or the issuers, of which certificate.
class KeyList {
 public:
  // `keys`: a list of their own, in the order of `files`; empty: they are among `files`. There,
  // Postfix has a key before its certificate, and ejabberd (`anywhere`) where it likes. `files` and
  // `root` outlive this.
  KeyList(const std::vector<NamedPath>& files, std::vector<NamedPath> keys, bool anywhere,
          Root& root);

  // The file has a key and no certificate.
  bool is_key(size_t i) const;
  // Unset: the list has none, or the certificate's own file has it.
  std::optional<NamedPath> of(size_t i) const;
  // The file with the issuers of a certificate that is alone in its file, where the server takes
  // them from anywhere in the list.
  std::optional<NamedPath> chain_of(size_t i) const;

 private:
  std::optional<size_t> key_that_fits(size_t certificate) const;
  bool fits_none(size_t key) const;
  bool is_in_same_directory(size_t one, size_t other) const;
  bool fits_together(size_t certificate, size_t key) const;

  const std::vector<NamedPath>& files_;
  const std::vector<NamedPath> keys_;
  const bool anywhere_;
  std::vector<std::string> texts_;         // of `files_`; empty if no key is looked for there
  std::vector<bool> has_key_;              // of `texts_`
  std::vector<size_t> keys_alone_;         // the files with a key and no certificate
  std::map<size_t, Certificate> issuers_;  // of the files that begin with a CA's certificate
};

}  // namespace certrebind::described
