// certrebind's own store of certificates: what `certrebind import` brings, and nobody renews.
//
//   DIRECTORY/NAME/0001/{cert.pem,chain.pem,fullchain.pem,privkey.pem,combined.pem}
//   DIRECTORY/NAME/current -> 0001
//
// Sites name the files behind `current`. A generation is never changed. A new one is written whole
// and made durable, then one rename of the link makes it current. So a reader, and a crash at any
// moment, finds the old generation or the new one. What a crash left unfinished above the current
// one is removed by the next write. Nothing is deleted that does not look like this.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "state/settings.h"
#include "sys/files.h"
#include "x509/credentials.h"

namespace certrebind {

inline constexpr const char* kOwnKind = "certrebind";  // of the store

StoreSetting own_store(const std::string& directory);

// One certificate of the store, by its name there.
struct OwnCertificate {
  std::string directory;  // of the store
  std::string name;

  std::string home() const { return directory + "/" + name; }
  std::string current() const { return home() + "/current"; }
  std::string certificate_path() const { return current() + "/fullchain.pem"; }
  std::string key_path() const { return current() + "/privkey.pem"; }
  std::string combined_path() const { return current() + "/combined.pem"; }
};

// Those with a current generation, by name. None if there is no store yet.
std::vector<OwnCertificate> own_certificates(const Files& files, const std::string& directory);

// A plain name for a certificate: its first name, with "_wildcard." for "*.". What does not belong
// into a file name becomes "_", and "_" comes before what could be taken for a thumbprint.
std::string own_name_of(const CertificateOutline& certificate);

// Code::usage unless `name` is one that a person may give: letters, digits, "-", "_", "." and "@",
// with no dot in front. So it never leaves the directory.
Done check_own_name(const std::string& name);

// Makes these credentials the current generation of `own`, durably. The key must be there. Only
// root may be able to change the way to the store (Code::denied). Code::failed if there is anything
// under its name that certrebind did not make.
Done write_generation(Files& files, const OwnCertificate& own, const Credentials& credentials);

// True if these are the current files of `own`, byte for byte.
bool is_current(const Files& files, const OwnCertificate& own, const Credentials& credentials);

// The certificate file of the generation below the current one. Empty: there is none.
std::string earlier_certificate(const Files& files, const OwnCertificate& own);

// The thumbprints of all its generations.
std::vector<Thumbprint> generations(const Files& files, const OwnCertificate& own);

// The directory of a generation with this certificate. Empty: there is none.
std::string generation_with(const Files& files, const OwnCertificate& own,
                            const Thumbprint& thumbprint);

// Moves all generations below ARCHIVE/NAME, under the first number that is free there, and returns
// where they are.
Result<std::string> archive_own(Files& files, const OwnCertificate& own,
                                const std::string& archive);
// Deletes all generations and their keys. Code::failed as for write_generation.
Done delete_own(Files& files, const OwnCertificate& own);

}  // namespace certrebind
