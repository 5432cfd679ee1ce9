#include "cli/renewal.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "survey/survey.h"
#include "sys/local_time.h"
#include "sys/safe_way.h"

namespace certrebind {

namespace {

// A DNS challenge may wait for propagation, and lego spreads its start over eight minutes.
constexpr milliseconds kDeadline = std::chrono::minutes(30);

std::string thumbprint_or_none(const std::optional<CertificateOutline>& certificate) {
  return certificate ? certificate->thumbprint.hex() : "";
}

Json thumbprint_json(const std::optional<CertificateOutline>& certificate) {
  return certificate ? Json(certificate->thumbprint.hex()) : Json();
}

// Everything that root runs must be root's: the program, and each script or directory in its
// arguments.
Done only_roots(const Files& files, const Command& command) {
  if (own_user() != 0) return {};
  SafeWay way(files);
  for (const std::string& argument : command.arguments) {
    std::string path = argument.substr(std::min(argument.find('/'), argument.size()));
    if (path.empty() || !files.stat(path)) continue;
    if (Done safe = way.to_content(path); !safe) return safe;
  }
  return {};
}

}  // namespace

Command renewal_command(const Lineage& lineage, bool now) {
  const auto& arguments = now && !lineage.renew_now.empty() ? lineage.renew_now : lineage.renew;
  // As timers and cron start it, because servers of other users read files that some renewers
  // write.
  return {.arguments = arguments, .root = {}, .file_mask = 0022};
}

Result<Renewal> run_renewer(Host& host, const Lineage& lineage, bool now) {
  Renewal renewal;
  renewal.command = renewal_command(lineage, now);
  if (Done safe = only_roots(host.files, renewal.command); !safe) return pass(safe);
  renewal.before = look_at(host.files, lineage.certificate_path).certificate;
  auto ran = host.commands.run(renewal.command, kDeadline);
  if (!ran) return pass(ran);
  renewal.ran = std::move(*ran);
  renewal.after = look_at(host.files, lineage.certificate_path).certificate;
  std::string after = thumbprint_or_none(renewal.after);
  renewal.is_new = !after.empty() && after != thumbprint_or_none(renewal.before);
  renewal.undue =
      !renewal.is_new && (renewal.ran.status == 0 || renewal.ran.status == lineage.status_undue);
  return renewal;
}

std::string outcome_text(const Lineage& lineage, const Renewal& renewal) {
  if (renewal.is_new)
    return fmt::format("a new certificate is at {}: {}, until {}",
                       printable(lineage.certificate_path), renewal.after->thumbprint.brief(),
                       local_day_text(renewal.after->not_after));
  if (renewal.undue)
    return fmt::format("no new certificate: {} found nothing to do", printable(lineage.renewer));
  return fmt::format("no new certificate: {} ended with status {}", printable(lineage.renewer),
                     renewal.ran.status);
}

Json to_json(const Lineage& lineage, const Renewal& renewal) {
  return {{"renewer", printable(lineage.renewer)},
          {"lineage", printable(lineage.name)},
          {"certificate_path", printable(lineage.certificate_path)},
          {"status", renewal.ran.status},
          {"output", renewal.ran.output},
          {"before", thumbprint_json(renewal.before)},
          {"after", thumbprint_json(renewal.after)},
          {"renewed", renewal.is_new}};
}

}  // namespace certrebind
