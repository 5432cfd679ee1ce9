#include "store/renewer_kinds.h"

#include "base/text.h"
#include "sys/processes.h"
#include "x509/certificate.h"
#include "x509/pem.h"

namespace certrebind {

namespace {

// The directories in which packages, snap, pip and people install programs. PATH is not used,
// because it differs between a person, a timer and a daemon.
constexpr const char* kProgramDirectories[] = {"/usr/local/sbin", "/usr/local/bin",  "/usr/sbin",
                                               "/usr/bin",        "/sbin",           "/bin",
                                               "/snap/bin",       "/opt/certbot/bin"};

}  // namespace

const RenewerKind* renewer_kind(const std::string& kind) {
  static const RenewerKind kKinds[] = {certbot_kind(),    lego_kind(),    uacme_kind(),
                                       dehydrated_kind(), acme_sh_kind(), certmonger_kind()};
  for (const RenewerKind& known : kKinds)
    if (kind == known.kind) return &known;
  return nullptr;
}

std::string find_program(const Files& files, const std::vector<std::string>& names) {
  for (const char* directory : kProgramDirectories)
    for (const std::string& name : names) {
      std::string path = std::string(directory) + "/" + name;
      auto info = files.stat(path);
      if (info && info->kind == FileKind::regular && (info->mode & 0111) != 0) return path;
    }
  return {};
}

void set_command(Lineage& lineage, const std::string& program,
                 const std::vector<std::string>& arguments, const std::vector<std::string>& force) {
  if (program.empty()) {
    lineage.no_command = lineage.renewer + " is not installed";
    return;
  }
  lineage.renew = {program};
  lineage.renew.insert(lineage.renew.end(), arguments.begin(), arguments.end());
  lineage.command_text = Command{.arguments = lineage.renew, .root = {}}.text();
  lineage.renew_now = lineage.renew;
  lineage.renew_now.insert(lineage.renew_now.end(), force.begin(), force.end());
}

std::optional<std::pair<WallTime, WallTime>> validity_at(const Files& files,
                                                         const std::string& path) {
  auto bytes = files.read(path, kPemLimit);
  auto block = bytes ? first_certificate_block(*bytes) : std::nullopt;
  if (!block) return std::nullopt;
  auto der = pem_decode(*block);
  auto outline = der ? outline_of(*der) : Result<CertificateOutline>(std::unexpected(der.error()));
  if (!outline) return std::nullopt;
  return std::pair(outline->not_before, outline->not_after);
}

void set_due_before_expiry(const Files& files, std::chrono::seconds before, std::string rule,
                           Lineage& lineage) {
  lineage.due_rule = std::move(rule);
  if (auto validity = validity_at(files, lineage.certificate_path))
    lineage.due = validity->second - before;
}

}  // namespace certrebind
