// Stores: the directories of certificates, and the renewer of each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "state/settings.h"
#include "sys/files.h"
#include "x509/bundle.h"

namespace certrebind {

// The stores that are checked on every host, whether they exist or not.
std::vector<StoreSetting> usual_stores(const std::string& home_directory);

// Code::usage for a store of an unknown kind.
Done check_stores(const std::vector<StoreSetting>& stores);

// True if a renewer, or certrebind import, owns the files in the store and will write them again.
// Such files are never overwritten.
bool belongs_to_renewer(const StoreSetting& store);

// The innermost store that contains `path`, as typed or with links resolved. Unset for a loose
// file.
std::optional<StoreSetting> store_of(const Files& files, const std::vector<StoreSetting>& stores,
                                     const std::string& path);

// The kind of the renewer that owns the file at `path`, such as "certbot". Empty if no renewer
// does.
std::string renewer_at(const Files& files, const std::vector<StoreSetting>& stores,
                       const std::string& path);

// A certificate file in a store, with its key file according to the renewer's layout.
struct StoredCertificate {
  StoreSetting store;
  std::string certificate_path;
  std::string key_path;  // empty if the layout does not name one
};

// The certificates in the stores, by each renewer's layout. In plain directories only certificates
// with a key are listed, because the rest of /etc/ssl is roots. Skips unreadable directories.
std::vector<StoredCertificate> stored_certificates(const Files& files,
                                                   const std::vector<StoreSetting>& stores);

// True if `old_one` lies in the directory into which `certificate_path` leads: a renewer that keeps
// its earlier certificates (certbot's archive/, dehydrated) has made both.
bool keeps_earlier(const Files& files, const std::string& certificate_path,
                   const Thumbprint& old_one);

// The probable key file of the certificate at `certificate_path`. Tries the same file, then the
// file names that renewers and people use, then any other small file in the directory whose key
// matches.
std::optional<std::string> find_key(const Files& files, const std::string& certificate_path,
                                    const Certificate& leaf);

}  // namespace certrebind
