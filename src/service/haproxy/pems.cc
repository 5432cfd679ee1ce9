#include "service/haproxy/pems.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/text.h"
#include "x509/pem.h"

namespace certrebind::haproxy {

namespace {

// In HAProxy's search order.
constexpr const char* kBundle[] = {".dsa", ".ecdsa", ".rsa"};
constexpr const char* kBeside[] = {".issuer", ".ocsp", ".sctl", ".key"};

template <size_t kCount>
bool ends_with_any(const std::string& name, const char* const (&ends)[kCount]) {
  return std::ranges::any_of(ends, [&](const char* end) { return name.ends_with(end); });
}

bool holds_key(const Files& files, const std::string& path) {
  auto text = files.read(path, kPemLimit);
  return text && std::ranges::any_of(pem_blocks(*text), &PemBlock::is_private_key);
}

}  // namespace

std::string PemFinder::on_host(const std::string& name) const {
  return root_.on_host(absolute_in(directory_, name));
}

// Keeps only names that can belong to a certificate: mostly there are none.
const PemFinder::Names& PemFinder::further_files(const std::string& directory) const {
  auto [known, is_new] = listed_.try_emplace(directory);
  if (!is_new) return known->second;
  auto names = root_.files().list(directory);
  if (!names) return known->second;
  for (std::string& name : *names)
    if (ends_with_any(name, kBundle) || ends_with_any(name, kBeside))
      known->second.insert(std::move(name));
  return known->second;
}

bool PemFinder::exists(const std::string& on_host) const {
  const Names& names = further_files(parent_directory(on_host));
  return !names.empty() && names.contains(file_name(on_host)) &&
         root_.files().stat(on_host).has_value();
}

// With ssl-load-extra-del-ext the key of "x.crt" is "x.key". Without it, and for any other
// extension, it is "x.crt.key".
std::string PemFinder::beside(const std::string& certificate, const char* extension) const {
  constexpr std::string_view kRemoved = ".crt";
  if (globals_.removes_extension && certificate.ends_with(kRemoved))
    return certificate.substr(0, certificate.size() - kRemoved.size()) + extension;
  return certificate + extension;
}

void PemFinder::add_companion(const Pem& pem, Companion::Kind kind, const char* extension,
                              std::vector<Companion>& into) const {
  std::string path = beside(pem.certificate, extension);
  if (exists(path)) into.push_back({kind, std::move(path)});
}

Pem PemFinder::pem_of(const std::string& name) const {
  Pem pem{.name = name, .certificate = on_host(name), .key = {}, .by_name = true, .companions = {}};
  pem.key = pem.certificate;
  // A key in the file itself takes precedence.
  std::string key = beside(pem.certificate, ".key");
  if (globals_.extra_key && exists(key) && !holds_key(root_.files(), pem.certificate))
    pem.key = std::move(key);
  if (globals_.extra_ocsp)
    add_companion(pem, Companion::Kind::ocsp_response, ".ocsp", pem.companions);
  if (globals_.extra_issuer) add_companion(pem, Companion::Kind::issuer, ".issuer", pem.companions);
  if (globals_.extra_timestamps)
    add_companion(pem, Companion::Kind::timestamps, ".sctl", pem.companions);
  add_load(pem);
  return pem;
}

// The path of a `load`, as HAProxy composes it.
std::string PemFinder::loaded_from(const CertificateStore& store, const Load& load) const {
  const std::string& base = store.certificate_base;
  return base.empty() ? load.certificate->value : absolute_in(base, load.certificate->value);
}

// The unnamed crt-store loads files by their paths before any other use. A "crt" that names such a
// path gets the loaded certificate, with the store's key.
void PemFinder::add_load(Pem& pem) const {
  auto store = globals_.stores.find("");
  if (store == globals_.stores.end()) return;
  for (const Load& load : store->second.loads) {
    if (load.key == nullptr || on_host(loaded_from(store->second, load)) != pem.certificate)
      continue;
    const std::string& base = store->second.key_base;
    pem.key = on_host(base.empty() ? load.key->value : absolute_in(base, load.key->value));
    pem.by_name = false;  // the store also names it
  }
}

void PemFinder::set_key(Pem& pem, const std::string& key) const {
  const std::string& base = globals_.key_base;
  pem.key = on_host(base.empty() ? key : absolute_in(base, key));
  pem.by_name = false;
}

Pem PemFinder::with_key(std::string_view certificate, std::string_view key) const {
  std::string name(certificate), key_name(key);
  if (!globals_.certificate_base.empty()) name = absolute_in(globals_.certificate_base, name);
  Pem pem = pem_of(name);
  if (key.empty()) return pem;
  if (!globals_.key_base.empty()) key_name = absolute_in(globals_.key_base, key_name);
  pem.key = on_host(key_name);
  return pem;
}

Pems PemFinder::find_in_store(std::string_view value) const {
  std::string_view rest = value.substr(1);
  size_t slash = rest.find('/');
  auto store = globals_.stores.find(std::string(rest.substr(0, slash)));
  if (slash == std::string_view::npos || store == globals_.stores.end())
    return {{}, "there is no such crt-store"};
  std::string_view name = rest.substr(slash + 1);
  for (const Load& load : store->second.loads) {
    if (load.alias != name && load.certificate->value != name) continue;
    Pem pem = pem_of(loaded_from(store->second, load));
    if (load.key != nullptr) {
      const std::string& key_base = store->second.key_base;
      pem.key =
          on_host(key_base.empty() ? load.key->value : absolute_in(key_base, load.key->value));
    }
    pem.name = std::string(value);
    return {{std::move(pem)}, {}};
  }
  return {{}, "the crt-store has no such certificate"};
}

Pems PemFinder::find_bundle(const std::string& name) const {
  Pems found;
  for (const char* extension : kBundle) {
    if (!globals_.extra_bundle || !exists(on_host(name + extension))) continue;
    found.all.push_back(pem_of(name + extension));
    found.all.back().by_name = false;
  }
  if (found.all.empty()) found.problem = "there is no such file";
  return found;
}

// All files in byte order, without hidden files, directories and companions of certificates.
Pems PemFinder::find_in_directory(const std::string& name) const {
  Pems found;
  directories_.push_back(on_host(name));
  auto names = root_.files().list(on_host(name));
  if (!names) return {{}, "the directory cannot be read: " + names.error().cause};
  for (const std::string& entry : *names) {
    if (entry.starts_with('.')) continue;
    if (ends_with_any(entry, kBeside)) continue;
    std::string path = name + (name.ends_with('/') ? "" : "/") + entry;
    auto info = root_.files().stat(on_host(path));
    if (info && info->kind != FileKind::regular) continue;
    found.all.push_back(pem_of(path));
    found.all.back().by_name = false;
  }
  return found;
}

std::string PemFinder::in_base(std::string_view value) const {
  bool is_relative = !value.starts_with('/') && !globals_.certificate_base.empty();
  return is_relative ? globals_.certificate_base + "/" + std::string(value) : std::string(value);
}

std::optional<FileKind> PemFinder::kind_of(const std::string& name) const {
  auto info = root_.files().stat(on_host(name));
  return info ? std::optional(info->kind) : std::nullopt;
}

Pems PemFinder::find(std::string_view value) const {
  if (value.starts_with('@')) return find_in_store(value);
  std::string name = in_base(value);
  auto kind = kind_of(name);
  if (!kind) return find_bundle(name);
  if (kind == FileKind::directory) return find_in_directory(name);
  return {{pem_of(name)}, {}};
}

std::vector<Pems> PemFinder::find_listed(const std::vector<std::string_view>& values) const {
  std::vector<std::shared_ptr<const OnDisk>> looks(values.size());
  auto look = [&](std::string_view value) {
    return value.starts_with('@')
               ? nullptr
               : std::make_shared<OnDisk>(look_at(root_.files(), on_host(in_base(value))));
  };
  // The additional index lists, in parallel, the directory that contains most of the files, because
  // it is needed next.
  for_each_index(values.size() + 1, std::thread::hardware_concurrency(), [&](size_t task) {
    if (task > 0)
      looks[task - 1] = look(values[task - 1]);
    else if (!values.empty())
      further_files(parent_directory(on_host(in_base(values.front()))));
  });
  std::vector<Pems> found;
  found.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    found.push_back(listed(values[i], std::move(looks[i])));
  return found;
}

Pems PemFinder::listed(std::string_view value, std::shared_ptr<const OnDisk> look) const {
  if (!look) return find_in_store(value);
  std::string name = in_base(value);
  if (!look->certificate) {
    auto kind = kind_of(name);
    if (!kind) return find_bundle(name);
    if (kind == FileKind::directory) return {{}, "a crt-list takes no directory"};
  }
  Pem pem = pem_of(name);
  looked_at_.emplace(pem.certificate, std::move(look));
  return {{std::move(pem)}, {}};
}

}  // namespace certrebind::haproxy
