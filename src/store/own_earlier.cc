#include "store/own_earlier.h"

#include <fmt/format.h>

#include "base/text.h"
#include "store/on_disk.h"

namespace certrebind {

std::string command_back_to(const Files& files, const OwnCertificate& own,
                            const Thumbprint& thumbprint) {
  auto generations = files.list(own.home());
  if (!generations) return "";
  for (const std::string& generation : *generations) {
    if (generation.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string combined = own.home() + "/" + generation + "/combined.pem";
    auto bundle = read_bundle(files, combined);
    if (bundle && bundle->leaf.outline.thumbprint == thumbprint)
      return fmt::format("certrebind import {} --store {} --name {} --accept=shorter --rebind",
                         shell_quoted(combined), shell_quoted(own.directory), own.name);
  }
  return "";
}

std::string command_back_to(const Files& files, const std::vector<StoreSetting>& stores,
                            const std::string& thumbprint_hex) {
  auto thumbprint = Thumbprint::from_hex(thumbprint_hex);
  if (!thumbprint) return "";
  for (const StoreSetting& store : stores) {
    if (store.kind != kOwnKind) continue;
    for (const OwnCertificate& own : own_certificates(files, store.path))
      if (std::string back = command_back_to(files, own, *thumbprint); !back.empty()) return back;
  }
  return "";
}

}  // namespace certrebind
