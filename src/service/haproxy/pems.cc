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

// "/certs//a.pem" comes from a base with a slash at its end.
std::string with_single_slashes(std::string path) {
  auto repeated = std::ranges::unique(path, [](char a, char b) { return a == '/' && b == '/'; });
  path.erase(repeated.begin(), repeated.end());
  return path;
}

}  // namespace

PemFinder::PemFinder(const Config& config, const Globals& globals, const Root& root)
    : globals_(globals), root_(root) {
  for (const Load& load : loads_of(config)) {
    Pem pem = pem_with(load.name, load.certificate, load.options, load.directory);
    pem.by_name = false;  // the store also names it
    known_.try_emplace(load.name, std::move(pem));
  }
}

// Keeps only names that can belong to a certificate: mostly there are none.
const PemFinder::Names& PemFinder::further_files(const std::string& directory) {
  auto [known, is_new] = listed_.try_emplace(directory);
  if (!is_new) return known->second;
  auto names = root_.files().list(directory);
  if (!names) return known->second;
  for (std::string& name : *names)
    if (ends_with_any(name, kBundle) || ends_with_any(name, kBeside))
      known->second.insert(std::move(name));
  return known->second;
}

bool PemFinder::exists(const std::string& on_host) {
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
                              std::vector<Companion>& into) {
  std::string path = beside(pem.certificate, extension);
  if (exists(path)) into.push_back({kind, std::move(path)});
}

void PemFinder::add_what_lies_beside(Pem& pem) {
  // A key in the file itself takes precedence.
  std::string key = beside(pem.certificate, ".key");
  if (globals_.extra_key && exists(key) && !holds_key(root_.files(), pem.certificate))
    pem.key = std::move(key);
  if (globals_.extra_ocsp)
    add_companion(pem, Companion::Kind::ocsp_response, ".ocsp", pem.companions);
  if (globals_.extra_issuer) add_companion(pem, Companion::Kind::issuer, ".issuer", pem.companions);
  if (globals_.extra_timestamps)
    add_companion(pem, Companion::Kind::timestamps, ".sctl", pem.companions);
}

Pem PemFinder::pem_of(const std::string& name, const Bases& bases) {
  if (auto known = known_.find(name); known != known_.end()) return known->second;
  Pem pem = pem_with(name, name, {}, bases.directory);
  add_what_lies_beside(pem);
  if (!name.starts_with('/')) known_.try_emplace(name, pem);
  return pem;
}

// What the options name, and nothing else.
Pem PemFinder::pem_with(const std::string& name, const std::string& file,
                        const LoadOptions& options, const std::string& directory) const {
  auto on_host = [&](const std::string& path) {
    return with_single_slashes(root_.on_host(absolute_in(directory, path)));
  };
  Pem pem{.name = name,
          .certificate = on_host(file),
          .key = {},
          .companions = {},
          .updates_ocsp = options.updates_ocsp,
          .acme = options.acme};
  pem.key = options.key.empty() ? pem.certificate : on_host(options.key);
  auto add = [&](Companion::Kind kind, const std::string& path) {
    if (!path.empty()) pem.companions.push_back({kind, on_host(path)});
  };
  add(Companion::Kind::ocsp_response, options.ocsp);
  add(Companion::Kind::issuer, options.issuer);
  add(Companion::Kind::timestamps, options.sctl);
  return pem;
}

Pems PemFinder::find_bundle(const std::string& name, const Bases& bases) {
  Pems found;
  for (const char* extension : kBundle) {
    if (!globals_.extra_bundle ||
        !exists(root_.on_host(absolute_in(bases.directory, name + extension))))
      continue;
    found.all.push_back(pem_of(name + extension, bases));
    found.all.back().by_name = false;
  }
  if (found.all.empty()) found.problem = "there is no such file";
  return found;
}

// All files in byte order, without hidden files, directories and companions of certificates.
Pems PemFinder::find_in_directory(const std::string& name, const Bases& bases) {
  Pems found{.all = {}, .problem = {}, .is_directory = true};
  const std::string directory = root_.on_host(absolute_in(bases.directory, name));
  directories_.push_back(directory);
  auto names = root_.files().list(directory);
  if (!names) {
    found.problem = "the directory cannot be read: " + names.error().cause;
    return found;
  }
  // HAProxy removes slashes at the end.
  const std::string prefix = name.substr(0, name.find_last_not_of('/') + 1) + "/";
  for (const std::string& entry : *names) {
    if (entry.starts_with('.')) continue;
    if (ends_with_any(entry, kBeside)) continue;
    auto info = root_.files().stat(directory + "/" + entry);
    if (info && info->kind != FileKind::regular) continue;
    found.all.push_back(pem_of(prefix + entry, bases));
    found.all.back().by_name = false;
  }
  return found;
}

// As HAProxy composes it.
std::string PemFinder::name_of(std::string_view value, const Bases& bases) {
  const bool is_whole = value.starts_with('/') || value.starts_with('@');
  if (is_whole || bases.certificates.empty()) return std::string(value);
  return bases.certificates + "/" + std::string(value);
}

Pems PemFinder::find(std::string_view value, const Bases& bases) {
  const std::string name = name_of(value, bases);
  auto info = root_.files().stat(root_.on_host(absolute_in(bases.directory, name)));
  const bool is_directory = info && info->kind == FileKind::directory && !known_.contains(name);
  return is_directory ? find_in_directory(name, bases) : find_file(name, nullptr, bases);
}

std::vector<Pems> PemFinder::find_listed(const std::vector<Listed>& lines, const Bases& bases) {
  std::vector<std::shared_ptr<const OnDisk>> looks(lines.size());
  auto path_of = [&](std::string_view value) {
    return root_.on_host(absolute_in(bases.directory, name_of(value, bases)));
  };
  auto look = [&](std::string_view value) {
    return value.starts_with('@')
               ? nullptr
               : std::make_shared<OnDisk>(look_at(root_.files(), path_of(value)));
  };
  // The additional index lists, in parallel, the directory that contains most of the files, because
  // it is needed next.
  for_each_index(lines.size() + 1, std::thread::hardware_concurrency(), [&](size_t task) {
    if (task > 0)
      looks[task - 1] = look(lines[task - 1].value);
    else if (!lines.empty())
      further_files(parent_directory(path_of(lines.front().value)));
  });
  std::vector<Pems> found;
  found.reserve(lines.size());
  for (size_t i = 0; i < lines.size(); ++i)
    found.push_back(find_line(lines[i], std::move(looks[i]), bases));
  return found;
}

Pems PemFinder::find_line(const Listed& line, std::shared_ptr<const OnDisk> look,
                          const Bases& bases) {
  const std::string name = name_of(line.value, bases);
  if (line.options.names_files() && !known_.contains(name)) {
    Pem pem = pem_with(name, name, line.options, bases.directory);
    pem.by_name = false;  // the options also name files of it
    known_.try_emplace(name, std::move(pem));
  }
  Pems found = find_file(name, std::move(look), bases);
  for (Pem& pem : found.all) {
    pem.updates_ocsp |= line.options.updates_ocsp;
    pem.acme |= line.options.acme;
  }
  return found;
}

// A known name, a file or a bundle.
Pems PemFinder::find_file(const std::string& name, std::shared_ptr<const OnDisk> look,
                          const Bases& bases) {
  if (known_.contains(name)) return {{pem_of(name, bases)}, {}};
  if (name.starts_with('@')) return {{}, "no crt-store has a certificate of this name"};
  if (!look || !look->certificate) {
    auto info = root_.files().stat(root_.on_host(absolute_in(bases.directory, name)));
    if (!info) return find_bundle(name, bases);
    if (info->kind == FileKind::directory) return {{}, "a crt-list takes no directory"};
  }
  Pem pem = pem_of(name, bases);
  if (look) looked_at_.emplace(pem.certificate, std::move(look));
  return {{std::move(pem)}, {}};
}

}  // namespace certrebind::haproxy
