#include "store/stores.h"

#include <algorithm>

#include "base/text.h"
#include "store/certmonger.h"
#include "store/on_disk.h"
#include "store/own.h"
#include "store/read_pem.h"
#include "x509/key.h"
#include "x509/pem.h"

namespace certrebind {

namespace {

constexpr size_t kSiblingLimit =
    500;  // maximum number of files beside a certificate that are tried as its key
constexpr size_t kKeyFileLimit = 64 << 10;  // bytes; the largest RSA keys in use take 13 KB

// Lists the certificates in one kind of store.
using Lister = void (*)(const Files&, const StoreSetting&, std::vector<StoredCertificate>&);

std::string stem(const std::string& name) {
  return name.substr(0, name.rfind('.'));
}

void add_if_there(const Files& files, const StoreSetting& store, const std::string& certificate,
                  const std::string& key, std::vector<StoredCertificate>& found) {
  auto info = files.stat(certificate);
  if (!info || info->kind != FileKind::regular) return;
  found.push_back({store, certificate, files.stat(key) ? key : ""});
}

// One directory per lineage, with fixed file names.
void list_lineages(const Files& files, const StoreSetting& store, const std::string& directory,
                   const std::string& certificate, const std::string& key,
                   std::vector<StoredCertificate>& found) {
  auto names = files.list(directory);
  if (!names) return;
  for (const std::string& name : *names)
    add_if_there(files, store, directory + "/" + name + "/" + certificate,
                 directory + "/" + name + "/" + key, found);
}

void list_certbot(const Files& files, const StoreSetting& store,
                  std::vector<StoredCertificate>& found) {
  list_lineages(files, store, store.path + "/live", "fullchain.pem", "privkey.pem", found);
}

void list_dehydrated(const Files& files, const StoreSetting& store,
                     std::vector<StoredCertificate>& found) {
  list_lineages(files, store, store.path, "fullchain.pem", "privkey.pem", found);
}

void list_lego(const Files& files, const StoreSetting& store,
               std::vector<StoredCertificate>& found) {
  std::string directory = store.path + "/certificates";
  auto names = files.list(directory);
  if (!names) return;
  for (const std::string& name : *names)
    if (name.ends_with(".crt") && !name.ends_with(".issuer.crt"))
      add_if_there(files, store, directory + "/" + name, directory + "/" + stem(name) + ".key",
                   found);
}

// acme.sh: NAME/fullchain.cer and NAME/NAME.key. The directory of an ECDSA certificate ends in
// "_ecc".
void list_acme_sh(const Files& files, const StoreSetting& store,
                  std::vector<StoredCertificate>& found) {
  auto names = files.list(store.path);
  if (!names) return;
  for (const std::string& name : *names) {
    std::string domain = name.ends_with("_ecc") ? name.substr(0, name.size() - 4) : name;
    std::string directory = store.path + "/" + name;
    add_if_there(files, store, directory + "/fullchain.cer", directory + "/" + domain + ".key",
                 found);
  }
}

void list_uacme(const Files& files, const StoreSetting& store,
                std::vector<StoredCertificate>& found) {
  auto names = files.list(store.path);
  if (!names) return;
  for (const std::string& name : *names)
    add_if_there(files, store, store.path + "/" + name + "/cert.pem",
                 store.path + "/private/" + name + "/key.pem", found);
}

// certmonger certificates may be anywhere; its request files contain their paths.
void list_certmonger(const Files& files, const StoreSetting& store,
                     std::vector<StoredCertificate>& found) {
  for (const CertmongerRequest& request : certmonger_requests(files, store.path))
    add_if_there(files, store, request.certificate_path, request.key_path, found);
}

void list_own(const Files& files, const StoreSetting& store,
              std::vector<StoredCertificate>& found) {
  for (const OwnCertificate& own : own_certificates(files, store.path))
    add_if_there(files, store, own.certificate_path(), own.key_path(), found);
}

void list_plain(const Files& files, const StoreSetting& store,
                std::vector<StoredCertificate>& found) {
  for (const char* below : {"", "/certs", "/tls/certs"}) {
    std::string directory = store.path + below;
    auto names = files.list(directory);
    if (!names) continue;
    for (const std::string& name : *names) {
      std::string path = directory + "/" + name;
      auto bytes = files.read(path, kPemLimit);
      if (!bytes || !first_certificate_block(*bytes)) continue;
      if (!private_key_blocks(*bytes).empty()) {
        found.push_back({store, path, path});
        continue;
      }
      for (const std::string& key :
           {directory + "/" + stem(name) + ".key", directory + "/private/" + stem(name) + ".key",
            parent_directory(directory) + "/private/" + stem(name) + ".key"})
        if (files.stat(key)) {
          found.push_back({store, path, key});
          break;
        }
    }
  }
}

struct Kind {
  const char* name;
  bool renewer;
  Lister list;
};

constexpr Kind kKinds[] = {
    {kOwnKind, true, list_own},
    {"certbot", true, list_certbot},
    {"lego", true, list_lego},
    {"acme.sh", true, list_acme_sh},
    {"dehydrated", true, list_dehydrated},
    {"uacme", true, list_uacme},
    {"certmonger", true, list_certmonger},
    {"directory", false, list_plain},
};

const Kind* kind_named(const std::string& name) {
  const Kind* found =
      std::ranges::find_if(kKinds, [&](const Kind& kind) { return name == kind.name; });
  return found == std::end(kKinds) ? nullptr : found;
}

std::vector<std::string> likely_keys(const std::string& certificate_path) {
  std::string directory = parent_directory(certificate_path);
  std::string name = stem(file_name(certificate_path));
  return {certificate_path,
          directory + "/privkey.pem",
          directory + "/" + name + ".key",
          directory + "/" + name + ".pem.key",
          directory + "/key.pem",
          directory + "/" + name + "-key.pem",
          directory + "/" + name + ".key.pem",
          directory + "/private/" + name + ".key",
          parent_directory(directory) + "/private/" + name + ".key"};
}

// Also true for an unreadable file, so that this is what gets reported.
bool may_hold_a_key(const Files& files, const std::string& path) {
  auto bytes = read_pem(files, path, kKeyFileLimit);
  if (!bytes) return bytes.error().code == Code::denied;
  return !private_key_blocks(*bytes).empty();
}

bool holds_key_of(const Files& files, const std::string& path, const Certificate& leaf) {
  auto bytes = read_pem(files, path, kKeyFileLimit);
  return bytes && key_state(*bytes, leaf) == KeyState::matches;
}

}  // namespace

std::vector<StoreSetting> usual_stores(const std::string& home_directory) {
  return {{"certbot", "/etc/letsencrypt"},
          {"lego", "/etc/lego"},
          {"lego", "/var/lib/lego"},
          {"lego", home_directory + "/.lego"},
          {"acme.sh", home_directory + "/.acme.sh"},
          {"dehydrated", "/var/lib/dehydrated/certs"},
          {"dehydrated", "/etc/dehydrated/certs"},
          {"uacme", "/etc/ssl/uacme"},
          {"certmonger", "/var/lib/certmonger"},
          {"directory", "/etc/ssl"},
          {"directory", "/etc/pki"}};
}

Done check_stores(const std::vector<StoreSetting>& stores) {
  for (const StoreSetting& store : stores) {
    if (kind_named(store.kind) == nullptr)
      return fail(Code::usage, "use the store", store.path,
                  "the kind '" + store.kind + "' is not known",
                  "known kinds: certbot, lego, acme.sh, dehydrated, uacme, certmonger, certrebind, "
                  "directory");
    if (!store.path.starts_with('/'))
      return fail(Code::usage, "use the store", store.path, "its path is not absolute");
    if (!store.renew.empty() && !store.renew.front().starts_with('/'))
      return fail(Code::usage, "use the store", store.path,
                  "the program of its 'renew' is not an absolute path");
  }
  return {};
}

bool belongs_to_renewer(const StoreSetting& store) {
  const Kind* kind = kind_named(store.kind);
  return kind != nullptr && kind->renewer;
}

bool keeps_earlier(const Files& files, const std::string& certificate_path,
                   const Thumbprint& old_one) {
  auto real = files.real_path(certificate_path);
  if (!real) return false;
  const std::string directory = parent_directory(*real);
  auto names = files.list(directory);
  return names && std::ranges::any_of(*names, [&](const std::string& name) {
           OnDisk beside = look_at(files, directory + "/" + name);
           return beside.certificate && beside.certificate->thumbprint == old_one;
         });
}

std::optional<StoreSetting> store_of(const Files& files, const std::vector<StoreSetting>& stores,
                                     const std::string& path) {
  auto real = files.real_path(path);
  std::optional<StoreSetting> innermost;
  for (const StoreSetting& store : stores) {
    auto real_store = files.real_path(store.path);
    bool inside = is_within(normalized(path), normalized(store.path)) ||
                  (real && real_store && is_within(*real, *real_store));
    if (inside && (!innermost || store.path.size() > innermost->path.size())) innermost = store;
  }
  return innermost;
}

std::string renewer_at(const Files& files, const std::vector<StoreSetting>& stores,
                       const std::string& path) {
  auto store = store_of(files, stores, path);
  return store && belongs_to_renewer(*store) ? store->kind : "";
}

std::vector<StoredCertificate> stored_certificates(const Files& files,
                                                   const std::vector<StoreSetting>& stores) {
  std::vector<StoredCertificate> found;
  for (const StoreSetting& store : stores)
    if (const Kind* kind = kind_named(store.kind)) kind->list(files, store, found);
  return found;
}

std::optional<std::string> find_key(const Files& files, const std::string& certificate_path,
                                    const Certificate& leaf) {
  for (const std::string& path : likely_keys(certificate_path))
    if (holds_key_of(files, path, leaf)) return path;
  std::string directory = parent_directory(certificate_path);
  auto names = files.list(directory);
  if (names && names->size() <= kSiblingLimit)
    for (const std::string& name : *names)
      if (holds_key_of(files, directory + "/" + name, leaf)) return directory + "/" + name;
  for (const std::string& path : likely_keys(certificate_path))
    if (may_hold_a_key(files, path)) return path;
  return std::nullopt;
}

}  // namespace certrebind
