#include "store/own.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "store/on_disk.h"
#include "store/private_directory.h"

namespace certrebind {

namespace {

constexpr const char* kNextLink = ".current.new";
constexpr size_t kLongestName = 100;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '@';
}

// 0: not the name of a generation.
int generation_number(const std::string& name) {
  int number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc{} && end == name.data() + name.size() && number > 0 ? number : 0;
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

int current_number(const Files& files, const OwnCertificate& own) {
  auto target = files.read_link(own.current());
  return target ? generation_number(*target) : 0;
}

// What a crash left: it was never current.
Done remove_leftovers(Files& files, const OwnCertificate& own, int current) {
  const std::string link = own.home() + "/" + kNextLink;
  if (files.lstat(link))
    if (Done removed = files.remove(link); !removed) return removed;
  for (const auto& [number, path] : numbered(files, own.home()))
    if (number > current)
      if (Done removed = remove_tree(files, path); !removed) return removed;
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
  name.resize(std::min(name.size(), kLongestName));
  std::ranges::replace_if(
      name, [](char c) { return !is_plain(c); }, '_');
  if (name.empty() || name.starts_with('.') || name.starts_with('-')) name = "_" + name;
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
  const int current = current_number(files, own);
  if (Done removed = remove_leftovers(files, own, current); !removed) return removed;
  const std::string generation = fmt::format("{:04}", current + 1);
  if (Done written =
          write_private_files(files, own.home() + "/" + generation, contents_of(credentials));
      !written)
    return written;
  return make_current(files, own, generation);
}

bool is_current(const Files& files, const OwnCertificate& own, const Credentials& credentials) {
  return std::ranges::all_of(contents_of(credentials), [&](const auto& content) {
    auto bytes = files.read(own.current() + content.first, kPemLimit);
    return bytes && *bytes == content.second;
  });
}

std::vector<Thumbprint> generations(const Files& files, const OwnCertificate& own) {
  std::vector<Thumbprint> found;
  for (const auto& [number, path] : numbered(files, own.home()))
    if (OnDisk disk = look_at(files, path + "/fullchain.pem"); disk.certificate)
      found.push_back(disk.certificate->thumbprint);
  return found;
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
  // Without the link, what a crash leaves is no certificate of the store any more.
  if (files.lstat(own.current()))
    if (Done removed = files.remove(own.current()); !removed) return removed;
  if (Done removed = remove_tree(files, own.home()); !removed) return removed;
  return files.sync({own.directory});
}

}  // namespace certrebind
