// acme.sh: directories NAME/ or NAME_ecc/ with NAME.conf. This file contains the issue options, the
// next due time, and the paths of installed copies.
#include "base/number.h"
#include "base/text.h"
#include "store/renewer_kinds.h"
#include "store/renewer_text.h"

namespace certrebind {

namespace {

constexpr std::string_view kEcc = "_ecc";  // suffix of the directory of an ECDSA certificate

std::string name_of(const std::string& directory) {
  return directory.ends_with(kEcc) ? directory.substr(0, directory.size() - kEcc.size())
                                   : directory;
}

std::optional<std::pair<std::string, Values>> conf_of(const Files& files, const StoreSetting& store,
                                                      const std::string& directory) {
  std::string path = store.path + "/" + directory + "/" + name_of(directory) + ".conf";
  auto text = files.read(path, kPemLimit);
  if (!text) return std::nullopt;
  return std::pair(path, shell_values(*text));
}

void set_commands_of_acme_sh(const Files& files, const StoreSetting& store, bool ecc,
                             Lineage& lineage) {
  std::vector<std::string> arguments = {"--renew", "-d", lineage.name};
  if (ecc) arguments.emplace_back("--ecc");
  std::string program = store.path + "/acme.sh";
  bool at_home = files.stat(program).has_value();
  if (!at_home) program = find_program(files, {"acme.sh"});
  arguments.insert(arguments.end(), {at_home ? "--home" : "--config-home", store.path});
  if (!program.empty()) lineage.obeys.push_back(program);
  if (files.stat(store.path + "/account.conf"))
    lineage.obeys.push_back(store.path + "/account.conf");
  set_command(lineage, program, arguments, {"--force"});
}

std::optional<Lineage> read_acme_sh(const Files& files, const StoreSetting& store,
                                    const std::string& within) {
  std::string directory = split(within, '/').front();
  auto found = conf_of(files, store, directory);
  if (!found) return std::nullopt;
  auto& [path, conf] = *found;
  Lineage lineage;
  lineage.renewer = "acme.sh";
  lineage.name = name_of(directory);
  lineage.directory = store.path + "/" + directory;
  lineage.certificate_path = lineage.directory + "/fullchain.cer";
  lineage.key_path = lineage.directory + "/" + lineage.name + ".key";
  lineage.status_undue = 2;  // RENEW_SKIP in acme.sh
  lineage.obeys = {path};
  for (const char* hook : {"Le_ReloadCmd", "Le_RenewHook", "Le_PostHook"})
    if (!conf[hook].empty()) lineage.hooks.push_back(acme_sh_text(conf[hook]));
  if (auto next = whole_number<int64_t>(conf["Le_NextRenewTime"])) {
    lineage.due = WallTime(std::chrono::seconds(*next));
    lineage.due_rule = "Le_NextRenewTime";
  }
  set_commands_of_acme_sh(files, store, directory != lineage.name, lineage);
  return lineage;
}

// The paths that --install-cert recorded: acme.sh writes them again after each renewal.
std::vector<std::pair<std::string, std::string>> copies_acme_sh(const Files& files,
                                                                const StoreSetting& store) {
  std::vector<std::pair<std::string, std::string>> found;
  auto names = files.list(store.path);
  if (!names) return found;
  for (const std::string& directory : *names) {
    auto conf = conf_of(files, store, directory);
    if (!conf) continue;
    for (const char* place : {"Le_RealFullChainPath", "Le_RealCertPath", "Le_RealKeyPath"})
      if (conf->second[place].starts_with('/'))
        found.emplace_back(conf->second[place], directory + "/fullchain.cer");
  }
  return found;
}

}  // namespace

RenewerKind acme_sh_kind() {
  return {.kind = "acme.sh",
          .programs = {"acme.sh"},
          .name_options = {"-d", "--domain"},
          .place_options = {"--home", "--config-home"},
          .read = read_acme_sh,
          .takes_command_of_job = false,
          .apply = nullptr,
          .copies = copies_acme_sh};
}

}  // namespace certrebind
