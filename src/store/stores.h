// Stores: the places where certificates live, and which renewer looks after each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "state/settings.h"
#include "sys/files.h"
#include "x509/bundle.h"

namespace certrebind {

// The stores that are looked for on every host, whether they exist or not.
std::vector<StoreSetting> usual_stores(const std::string& home_directory);

// Complains (Code::usage) about a store of an unknown kind.
Done check_stores(const std::vector<StoreSetting>& stores);

// True if a renewer owns the files there and will write them again: they are never overwritten.
bool belongs_to_renewer(const StoreSetting& store);

// The innermost store in which `path` lies, as typed or with its links resolved; none for a loose
// file.
std::optional<StoreSetting> store_of(const Files& files, const std::vector<StoreSetting>& stores,
                                     const std::string& path);

// The kind of the renewer whose file lies at `path`, "certbot"; empty where no renewer's does.
std::string renewer_at(const Files& files, const std::vector<StoreSetting>& stores,
                       const std::string& path);

// A certificate file in a store, with the key file that belongs to it by the renewer's layout.
struct StoredCertificate {
  StoreSetting store;
  std::string certificate_path;
  std::string key_path;  // empty where the layout tells none
};

// What lies in the stores, by each renewer's layout. In plain directories only what has a key is
// listed: the rest of /etc/ssl is roots. Unreadable places are skipped.
std::vector<StoredCertificate> stored_certificates(const Files& files,
                                                   const std::vector<StoreSetting>& stores);

// Where the key of the certificate at `certificate_path` is likely to lie: the same file, its
// siblings by the layouts that renewers and people use, then any other small file beside it whose
// key matches.
std::optional<std::string> find_key(const Files& files, const std::string& certificate_path,
                                    const Certificate& leaf);

}  // namespace certrebind
