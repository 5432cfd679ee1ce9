// certmonger: a daemon with one file per tracked certificate.
#include <algorithm>

#include "base/number.h"
#include "base/text.h"
#include "store/certmonger.h"
#include "store/renewer_kinds.h"
#include "store/renewer_text.h"

namespace certrebind {

namespace {

constexpr const char* kConfiguration = "/etc/certmonger/certmonger.conf";
constexpr int64_t kFirstTry = 2'419'200;  // seconds: certmonger.conf(5), enroll_ttls

// The earliest time before expiry at which it tries.
std::chrono::seconds first_try(const Files& files) {
  auto text = files.read(kConfiguration, kPemLimit);
  if (!text) return std::chrono::seconds(kFirstTry);
  Values conf = plain_values(*text);
  int64_t first = 0;
  for (const std::string& told :
       split(conf["enroll_ttls"].empty() ? conf["ttls"] : conf["enroll_ttls"], ','))
    if (auto number = whole_number<int64_t>(trim(told))) first = std::max(first, *number);
  return std::chrono::seconds(first > 0 ? first : kFirstTry);
}

std::optional<Lineage> read_certmonger(const Files& files, const StoreSetting& store,
                                       const std::string& within) {
  std::string file = store.path + "/" + within;
  for (const CertmongerRequest& request : certmonger_requests(files, store.path)) {
    if (request.file != file) continue;
    Lineage lineage;
    lineage.renewer = "certmonger";
    lineage.name = request.id;
    lineage.directory = parent_directory(request.certificate_path);
    lineage.certificate_path = request.certificate_path;
    lineage.key_path = request.key_path;
    if (!request.after_saving.empty()) lineage.hooks.push_back(request.after_saving);
    if (request.renews) {
      set_due_before_expiry(files, first_try(files), "enroll_ttls", lineage);
    } else {
      lineage.due_rule = "never: autorenew is off";
    }
    set_command(lineage, find_program(files, {"getcert"}), {"resubmit", "-i", request.id, "-w"},
                {});
    return lineage;
  }
  return std::nullopt;
}

// certmonger renews only while its daemon runs.
void apply(const Files& files, const JobWords&, Lineage& lineage) {
  bool runs = files.stat("/run/certmonger.pid") || files.stat("/var/run/certmonger.pid");
  if (runs) lineage.scheduled_by = "certmonger.service";
  if (!runs) lineage.schedule_note = "certmonger.service: it is not running";
}

std::vector<std::pair<std::string, std::string>> copies_certmonger(const Files& files,
                                                                   const StoreSetting& store) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const CertmongerRequest& request : certmonger_requests(files, store.path)) {
    std::string within = request.file.substr(store.path.size() + 1);
    found.emplace_back(request.certificate_path, within);
    if (!request.key_path.empty()) found.emplace_back(request.key_path, within);
  }
  return found;
}

}  // namespace

RenewerKind certmonger_kind() {
  return {.kind = "certmonger",
          .programs = {"certmonger"},
          .name_options = {},
          .place_options = {},
          .read = read_certmonger,
          .takes_command_of_job = false,
          .apply = apply,
          .copies = copies_certmonger};
}

}  // namespace certrebind
