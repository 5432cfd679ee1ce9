// lego and uacme: both store certificates and an account, but not how the names were validated. So
// the renewal command is the command line of the scheduled job.
#include <fmt/format.h>

#include "base/number.h"
#include "base/text.h"
#include "store/renewer_kinds.h"
#include "store/renewer_text.h"

namespace certrebind {

namespace {

using std::chrono::days;

constexpr int kUsualDays = 30;  // the default of lego's "renew --days" and of uacme(1), --days

constexpr const char* kUnknown =
    "{} keeps no record of how the names are proven, and no timer or cron job that renews this is "
    "known: say it as `renew` in a [[store]] of its directory";

void set_due(const Files& files, const std::optional<std::string>& told, Lineage& lineage) {
  auto number = told ? whole_number<int64_t>(*told) : kUsualDays;
  if (!number || *number < 0 || *number > 36'500) number = kUsualDays;
  set_due_before_expiry(files, days(*number), fmt::format("{} days before it expires", *number),
                        lineage);
}

// certificates/NAME.crt, .key, .json and .issuer.crt; "*." of a wildcard is written "_.".
std::optional<Lineage> read_lego(const Files&, const StoreSetting& store,
                                 const std::string& within) {
  constexpr std::string_view kBelow = "certificates/";
  if (!within.starts_with(kBelow)) return std::nullopt;
  std::string name = within.substr(kBelow.size());
  for (const char* ending : {".issuer.crt", ".crt", ".key", ".json", ".pem", ".pfx"})
    if (name.ends_with(ending)) {
      name.resize(name.size() - std::string_view(ending).size());
      break;
    }
  Lineage lineage;
  lineage.renewer = "lego";
  lineage.directory = store.path + "/certificates";
  lineage.certificate_path = lineage.directory + "/" + name + ".crt";
  lineage.key_path = lineage.directory + "/" + name + ".key";
  lineage.name = name.starts_with("_.") ? "*" + name.substr(1) : name;
  return lineage;
}

void apply_lego(const Files& files, const JobWords& words, Lineage& lineage) {
  set_due(files, option_of(words, {"--days"}), lineage);
  if (auto hook = option_of(words, {"--renew-hook"})) lineage.hooks.push_back(*hook);
  lineage.no_command = fmt::format(kUnknown, lineage.renewer);
}

// NAME/cert.pem and private/NAME/key.pem (uacme(1)).
std::optional<Lineage> read_uacme(const Files&, const StoreSetting& store,
                                  const std::string& within) {
  std::vector<std::string> parts = split(within, '/');
  if (!parts.empty() && parts[0] == "private") parts.erase(parts.begin());
  if (parts.size() < 2) return std::nullopt;
  Lineage lineage;
  lineage.renewer = "uacme";
  lineage.name = parts[0];
  lineage.directory = store.path + "/" + lineage.name;
  lineage.certificate_path = lineage.directory + "/cert.pem";
  lineage.key_path = store.path + "/private/" + lineage.name + "/key.pem";
  lineage.status_undue = 1;  // uacme(1), EXIT STATUS
  return lineage;
}

void apply_uacme(const Files& files, const JobWords& words, Lineage& lineage) {
  set_due(files, option_of(words, {"-d", "--days"}), lineage);
  lineage.no_command = fmt::format(kUnknown, lineage.renewer);
}

}  // namespace

RenewerKind lego_kind() {
  return {.kind = "lego",
          .programs = {"lego"},
          .name_options = {"-d", "--domains"},
          .place_options = {"--path"},
          .read = read_lego,
          .takes_command_of_job = true,
          .apply = apply_lego,
          .copies = nullptr};
}

RenewerKind uacme_kind() {
  return {.kind = "uacme",
          .programs = {"uacme"},
          .name_options = {"issue"},
          .place_options = {"-c", "--confdir"},
          .read = read_uacme,
          .takes_command_of_job = true,
          .apply = apply_uacme,
          .copies = nullptr};
}

}  // namespace certrebind
