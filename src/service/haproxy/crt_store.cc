#include "service/haproxy/crt_store.h"

namespace certrebind::haproxy {

namespace {

std::string composed(const std::string& base, const std::string& path) {
  return base.empty() || path.empty() || path.starts_with('/') ? path : base + "/" + path;
}

// A certificate of a named store is "@STORE/FILE", without a second slash if FILE is absolute. In
// the store without a name it is FILE in the *global* crt-base, wherever the store finds it.
std::string name_of_load(const std::string& store, const std::string& alias,
                         const std::string& file, const Bases& global) {
  if (!alias.empty()) return "@" + store + "/" + alias;
  if (store.empty()) return composed(global.certificates, file);
  return "@" + store + (file.starts_with('/') ? "" : "/") + file;
}

void read_store(const Section& section, std::vector<Load>& into) {
  // A store begins with the global bases of the lines above it.
  Bases bases = *section.head.bases;
  for (const Statement& statement : section.statements) {
    if (statement.word(0) == "crt-base") bases.certificates = statement.word(1);
    if (statement.word(0) == "key-base") bases.keys = statement.word(1);
    if (statement.word(0) != "load") continue;
    std::vector<std::string_view> words;
    for (size_t i = 1; i < statement.words.size(); ++i) words.push_back(statement.word(i));
    std::string file, alias;
    for (size_t i = 0; i + 1 < words.size(); i += 2) {
      if (words[i] == "crt") file = words[i + 1];
      if (words[i] == "alias") alias = words[i + 1];
    }
    if (file.empty()) continue;
    LoadOptions options = load_options(words);
    options.key = composed(bases.keys, options.key);
    for (std::string* beside : {&options.ocsp, &options.issuer, &options.sctl})
      *beside = composed(bases.certificates, *beside);
    into.push_back(
        {.name = name_of_load(std::string(section.head.word(1)), alias, file, *section.head.bases),
         .certificate = composed(bases.certificates, file),
         .options = std::move(options),
         .directory = statement.bases->directory});
  }
}

}  // namespace

LoadOptions load_options(std::span<const std::string_view> words) {
  LoadOptions options;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    std::string* file = words[i] == "key"      ? &options.key
                        : words[i] == "ocsp"   ? &options.ocsp
                        : words[i] == "issuer" ? &options.issuer
                        : words[i] == "sctl"   ? &options.sctl
                                               : nullptr;
    if (words[i] == "ocsp-update") options.updates_ocsp = words[i + 1] == "on";
    if (words[i] == "acme") options.acme = true;
    if (file != nullptr) *file = words[++i];
  }
  return options;
}

std::vector<Load> loads_of(const Config& config) {
  std::vector<Load> loads;
  for (const Section& section : config.sections)
    if (section.head.word(0) == "crt-store") read_store(section, loads);
  return loads;
}

}  // namespace certrebind::haproxy
