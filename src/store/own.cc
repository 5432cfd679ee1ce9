#include "store/own.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "store/on_disk.h"
#include "store/private_directory.h"
#include "x509/thumbprint.h"

namespace certrebind {

namespace {

constexpr const char* kNextLink = ".current.new";
constexpr size_t kLongestName = 100;
constexpr size_t kDigits = 4;  // of a generation
constexpr std::array kParts = {"cert.pem", "chain.pem", "fullchain.pem", "privkey.pem",
                               "combined.pem"};

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '@';
}

// 0: not the name of a generation.
int generation_number(const std::string& name) {
  int number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_whole = error == std::errc{} && end == name.data() + name.size();
  return is_whole && name.size() == kDigits && number > 0 ? number : 0;
}

std::vector<std::pair<int, std::string>> numbered(const Files& files, const std::string& home) {
  std::vector<std::pair<int, std::string>> found;
  if (auto names = files.list(home))
    for (const std::string& name : *names)
      if (int number = generation_number(name); number != 0)
        found.emplace_back(number, home + "/" + name);
  std::ranges::sort(found);
  return found;
}

// 0: there is none.
int current_number(const Files& files, const OwnCertificate& own) {
  auto target = files.read_link(own.current());
  const int number = target ? generation_number(*target) : 0;
  auto info = files.lstat(own.home() + "/" + target.value_or(""));
  return number != 0 && info && info->kind == FileKind::directory ? number : 0;
}

bool is_link(const Files& files, const std::string& path) {
  auto info = files.lstat(path);
  return info && info->kind == FileKind::symlink;
}

bool is_regular(const Files& files, const std::string& path) {
  auto info = files.lstat(path);
  return info && info->kind == FileKind::regular;
}

bool has_only_parts(const Files& files, const std::string& generation) {
  auto names = files.list(generation);
  return names && std::ranges::all_of(*names, [&](const std::string& name) {
           return std::ranges::find(kParts, name) != kParts.end() &&
                  is_regular(files, generation + "/" + name);
         });
}

bool is_complete(const Files& files, const std::string& generation) {
  return std::ranges::all_of(
      kParts, [&](const std::string& part) { return is_regular(files, generation + "/" + part); });
}

// True for what a write makes in the home of a certificate. Before the first generation became
// current, a crash can have left only that.
bool is_made_here(const Files& files, const OwnCertificate& own, const std::string& name,
                  int current) {
  const std::string path = own.home() + "/" + name;
  if (path == own.current()) return current != 0;
  if (name == kNextLink) return is_link(files, path);
  const int number = generation_number(name);
  return number != 0 && (current != 0 || number == 1) && has_only_parts(files, path);
}

// The directory may be anything that somebody has put there. Returns the number of the current
// generation.
Result<int> check_home(const Files& files, const OwnCertificate& own) {
  const int current = current_number(files, own);
  auto names = files.list(own.home());
  if (!names) return pass(names);
  for (const std::string& name : *names)
    if (!is_made_here(files, own, name, current))
      return fail(
          Code::failed, "change", own.home(),
          fmt::format("certrebind did not make {} in it; nothing is deleted", printable(name)),
          "move that elsewhere, or give another name with --name");
  return current;
}

Done remove_generation(Files& files, const std::string& generation) {
  return remove_private_files(files, generation, {kParts.begin(), kParts.end()});
}

// What a crash left was never current. A whole generation may be one from which a person went back.
Done remove_leftovers(Files& files, const OwnCertificate& own, int current) {
  const std::string link = own.home() + "/" + kNextLink;
  if (files.lstat(link))
    if (Done removed = files.remove(link); !removed) return removed;
  for (const auto& [number, path] : numbered(files, own.home()))
    if (number > current && !is_complete(files, path))
      if (Done removed = remove_generation(files, path); !removed) return removed;
  return {};
}

std::vector<std::pair<std::string, std::string>> contents_of(const Credentials& credentials) {
  const std::string leaf = pem_encode_certificate(credentials.bundle.leaf.der);
  const std::string fullchain = credentials.fullchain_pem();
  return {{"/cert.pem", leaf},
          {"/chain.pem", credentials.chain_pem()},
          {"/fullchain.pem", fullchain},
          {"/privkey.pem", credentials.key_pem},
          {"/combined.pem", fullchain + credentials.key_pem}};
}

bool holds(const Files& files, const std::string& generation, const Credentials& credentials) {
  return std::ranges::all_of(contents_of(credentials), [&](const auto& content) {
    auto bytes = files.read(generation + content.first, kPemLimit);
    return bytes && *bytes == content.second;
  });
}

Done sync_generation(Files& files, const std::string& generation) {
  std::vector<std::string> paths = {generation, parent_directory(generation)};
  for (const std::string part : kParts) paths.push_back(generation + "/" + part);
  return files.sync(paths);
}

Done make_current(Files& files, const OwnCertificate& own, const std::string& generation) {
  const std::string link = own.home() + "/" + kNextLink;
  if (Done linked = files.symlink(generation, link); !linked) return linked;
  if (Done renamed = files.rename(link, own.current()); !renamed) return renamed;
  return files.sync({own.home()});
}

}  // namespace

StoreSetting own_store(const std::string& directory) {
  return {kOwnKind, directory};
}

std::vector<OwnCertificate> own_certificates(const Files& files, const std::string& directory) {
  std::vector<OwnCertificate> found;
  auto names = files.list(directory);
  if (!names) return found;
  for (const std::string& name : *names)
    if (OwnCertificate own{directory, name};
        check_own_name(name) && current_number(files, own) != 0)
      found.push_back(std::move(own));
  return found;
}

std::string own_name_of(const CertificateOutline& certificate) {
  std::string name = certificate.names.empty() ? certificate.subject : certificate.names.front();
  if (name.starts_with("*.")) name = "_wildcard" + name.substr(1);
  name.resize(std::min(name.size(), kLongestName - 1));  // one more may come in front
  std::ranges::replace_if(
      name, [](char c) { return !is_plain(c); }, '_');
  const bool misleads = TypedThumbprint::looks_like_one(name);
  if (name.empty() || name.starts_with('.') || name.starts_with('-') || misleads) name = "_" + name;
  return name;
}

Done check_own_name(const std::string& name) {
  const bool is_good = !name.empty() && name.size() <= kLongestName && !name.starts_with('.') &&
                       !name.starts_with('-') && std::ranges::all_of(name, is_plain);
  if (is_good) return {};
  return fail(Code::usage, "use the name", printable(name),
              "a name has letters, digits, '-', '_', '.' and '@', and begins with none of '.-'",
              "give a plain one with --name");
}

Done write_generation(Files& files, const OwnCertificate& own, const Credentials& credentials) {
  if (Done named = check_own_name(own.name); !named) return named;
  if (Done made = make_private_directory(files, own.directory); !made) return made;
  if (Done made = make_private_directory(files, own.home()); !made) return made;
  auto current = check_home(files, own);
  if (!current) return pass(current);
  if (Done removed = remove_leftovers(files, own, *current); !removed) return removed;
  const auto all = numbered(files, own.home());
  const int highest = all.empty() ? 0 : all.back().first;
  // A crash, or a person, may have left just this one whole above the current one.
  if (highest > *current && holds(files, all.back().second, credentials)) {
    if (Done synced = sync_generation(files, all.back().second); !synced) return synced;
    return make_current(files, own, file_name(all.back().second));
  }
  const std::string generation = fmt::format("{:04}", highest + 1);
  if (generation_number(generation) == 0)
    return fail(Code::failed, "write", own.home(), "it has too many generations",
                "give another name with --name");
  if (Done written =
          write_private_files(files, own.home() + "/" + generation, contents_of(credentials));
      !written)
    return written;
  return make_current(files, own, generation);
}

bool is_current(const Files& files, const OwnCertificate& own, const Credentials& credentials) {
  return holds(files, own.current(), credentials);
}

std::string earlier_certificate(const Files& files, const OwnCertificate& own) {
  std::string earlier;
  const int current = current_number(files, own);
  for (const auto& [number, path] : numbered(files, own.home()))
    if (number < current) earlier = path + "/fullchain.pem";
  return earlier;
}

std::vector<Thumbprint> generations(const Files& files, const OwnCertificate& own) {
  std::vector<Thumbprint> found;
  for (const auto& [number, path] : numbered(files, own.home()))
    if (OnDisk disk = look_at(files, path + "/fullchain.pem"); disk.certificate)
      found.push_back(disk.certificate->thumbprint);
  return found;
}

std::string generation_with(const Files& files, const OwnCertificate& own,
                            const Thumbprint& thumbprint) {
  for (const auto& [number, path] : numbered(files, own.home()))
    if (OnDisk disk = look_at(files, path + "/fullchain.pem");
        disk.certificate && disk.certificate->thumbprint == thumbprint)
      return path;
  return "";
}

Result<std::string> archive_own(Files& files, const OwnCertificate& own,
                                const std::string& archive) {
  const std::string place = archive + "/" + own.name;
  if (Done made = make_private_directory(files, archive); !made) return pass(made);
  if (Done made = make_private_directory(files, place); !made) return pass(made);
  auto earlier = numbered(files, place);
  const std::string there =
      fmt::format("{}/{:04}", place, earlier.empty() ? 1 : earlier.back().first + 1);
  if (Done moved = files.rename(own.home(), there); !moved) return pass(moved);
  if (Done synced = files.sync({place, own.directory}); !synced) return pass(synced);
  return there;
}

Done delete_own(Files& files, const OwnCertificate& own) {
  auto current = check_home(files, own);
  if (!current) return pass(current);
  // The current generation comes last, so that after a crash this can be done again.
  auto all = numbered(files, own.home());
  std::ranges::stable_partition(all, [&](const auto& each) { return each.first != *current; });
  for (const auto& [number, path] : all)
    if (Done removed = remove_generation(files, path); !removed) return removed;
  for (const std::string& link : {own.home() + "/" + kNextLink, own.current()})
    if (files.lstat(link))
      if (Done removed = files.remove(link); !removed) return removed;
  if (Done removed = files.remove(own.home()); !removed) return removed;
  return files.sync({own.directory});
}

}  // namespace certrebind
