#include "plan/store_hints.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "base/number.h"
#include "base/text.h"
#include "store/stores.h"
#include "sys/safe_way.h"
#include "x509/name_match.h"

namespace certrebind {

namespace {

// The bindings of one certificate file; the first stands for all.
struct BoundFile {
  const SurveyedBinding* first = nullptr;
  std::vector<std::string> sites;
  std::string text() const {
    std::string site = printable(first->binding.site);
    return sites.size() > 1 ? fmt::format("{} and {} more", site, sites.size() - 1) : site;
  }
};

std::map<std::string, BoundFile> bound_files_of(const Survey& survey) {
  std::map<std::string, BoundFile> found;
  for (const SurveyedBinding& bound : survey.bindings) {
    if (bound.left_alone || !bound.disk || !bound.disk->certificate) continue;
    BoundFile& file = found[bound.binding.certificate.path];
    if (file.sites.empty()) file.first = &bound;
    file.sites.push_back(bound.binding.site);
  }
  return found;
}

Diagnostic note(const BoundFile& file, std::string sentence, const std::string& next) {
  const Span& where = file.first->binding.certificate.where;
  return {.severity = Severity::note,
          .file = where.file,
          .line = where.line,
          .column = where.column,
          .message = std::move(sentence) + "; next: " + next,
          .sites = file.sites};
}

struct Stored {
  std::string path;
  CertificateOutline leaf;
};

// A person will paste the command: nobody else may have chosen the certificate, nor a path that is
// more than one word for a shell.
bool may_be_named(const Files& files, const std::string& path) {
  const bool plain = std::ranges::all_of(path, [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("/._-+@").find(static_cast<char>(c)) != std::string_view::npos;
  });
  return plain && SafeWay(files).to_content(path);
}

// The certificates of renewers that no server uses.
std::vector<Stored> unused(const Files& files, const Settings& settings,
                           const std::map<std::string, BoundFile>& bound) {
  std::set<std::string> used;
  for (const auto& [path, file] : bound)
    if (auto real = files.real_path(path)) used.insert(*real);
  std::vector<Stored> found;
  for (const StoredCertificate& stored : stored_certificates(files, settings.stores)) {
    auto real = files.real_path(stored.certificate_path);
    if (!belongs_to_renewer(stored.store) || !real || used.contains(*real) ||
        !may_be_named(files, stored.certificate_path))
      continue;
    if (OnDisk disk = look_at(files, stored.certificate_path); disk.certificate)
      found.push_back({stored.certificate_path, std::move(*disk.certificate)});
  }
  return found;
}

// True if `wider` covers all names of `narrow`, and more, and expires later.
bool is_wider(const CertificateOutline& wider, const CertificateOutline& narrow) {
  auto covers_all = [](const CertificateOutline& one, const CertificateOutline& other) {
    return std::ranges::all_of(other.names,
                               [&](const std::string& name) { return covers(one.names, name); });
  };
  return wider.not_after > narrow.not_after && covers_all(wider, narrow) &&
         !covers_all(narrow, wider);
}

// The one that expires last; null if there is none.
const Stored* wider_for(const BoundFile& file, const std::vector<Stored>& stored) {
  const CertificateOutline& leaf = *file.first->disk->certificate;
  const Stored* best = nullptr;
  for (const Stored& each : stored)
    if (is_wider(each.leaf, leaf) &&
        (best == nullptr || each.leaf.not_after > best->leaf.not_after))
      best = &each;
  return best;
}

void hint_at_wider(const BoundFile& file, const std::vector<Stored>& stored,
                   std::vector<Diagnostic>& hints) {
  const CertificateOutline& leaf = *file.first->disk->certificate;
  const Stored* best = wider_for(file, stored);
  if (best == nullptr) return;
  hints.push_back(note(
      file,
      fmt::format("{} covers every name of {} and more, expires later ({} UTC), and no server uses "
                  "it ({} serves {})",
                  printable(best->path), leaf.thumbprint.brief(), to_text(best->leaf.not_after),
                  file.text(), printable(file.first->binding.certificate.path)),
      fmt::format("certrebind rebind {} {}", leaf.thumbprint.brief(), printable(best->path))));
}

// "fullchain12.pem" is generation 12 of "fullchain".
struct Generation {
  std::string kind;
  int number = 0;
};

std::optional<Generation> generation_of(const std::string& name) {
  constexpr std::string_view kEnd = ".pem";
  if (!name.ends_with(kEnd)) return std::nullopt;
  const size_t digits = name.find_first_of("0123456789");
  if (digits == std::string::npos || digits == 0) return std::nullopt;
  const auto number = whole_number<int>(name.substr(digits, name.size() - digits - kEnd.size()));
  if (!number) return std::nullopt;
  return Generation{name.substr(0, digits), *number};
}

// certbot writes archive/NAME/fullchainN.pem first, and then points live/NAME/fullchain.pem to it.
void hint_at_generation(const Files& files, const Settings& settings, const BoundFile& file,
                        std::vector<Diagnostic>& hints) {
  const std::string& path = file.first->binding.certificate.path;
  auto store = store_of(files, settings.stores, path);
  auto real = files.real_path(path);
  if (!store || store->kind != "certbot" || !real || *real == path) return;
  auto current = generation_of(file_name(*real));
  auto names = files.list(parent_directory(*real));
  if (!current || !names) return;
  Generation latest = *current;
  for (const std::string& name : *names)
    if (auto each = generation_of(name);
        each && each->kind == latest.kind && each->number > latest.number)
      latest = *each;
  const std::string archive = parent_directory(*real);
  const std::string there = fmt::format("{}/{}{}.pem", archive, latest.kind, latest.number);
  OnDisk disk = look_at(files, there);
  if (latest.number == current->number || !disk.certificate || !may_be_named(files, there) ||
      !may_be_named(files, path))
    return;
  hints.push_back(
      note(file,
           fmt::format("{} is a later generation of {}, which still points to {}", printable(there),
                       printable(path), printable(file_name(*real))),
           fmt::format(
               "for f in cert chain fullchain privkey; do ln -sfn {}/${{f}}{}.pem {}/$f.pem; done, "
               "then certrebind rebind --pending",
               printable(archive), latest.number, printable(parent_directory(path)))));
}

}  // namespace

std::vector<WiderCertificate> wider_certificates(const Files& files, const Settings& settings,
                                                 const Survey& survey) {
  std::vector<WiderCertificate> found;
  const std::map<std::string, BoundFile> bound = bound_files_of(survey);
  const std::vector<Stored> stored = unused(files, settings, bound);
  for (const auto& [path, file] : bound)
    if (const Stored* wider = wider_for(file, stored)) found.push_back({file.first, wider->path});
  return found;
}

std::vector<Diagnostic> store_hints(const Files& files, const Settings& settings,
                                    const Survey& survey) {
  std::vector<Diagnostic> hints;
  const std::map<std::string, BoundFile> bound = bound_files_of(survey);
  const std::vector<Stored> stored = unused(files, settings, bound);
  for (const auto& [path, file] : bound) {
    hint_at_wider(file, stored, hints);
    hint_at_generation(files, settings, file, hints);
  }
  return hints;
}

}  // namespace certrebind
