// certbot: servers use live/NAME, which links to archive/NAME. renewal/NAME.conf says how it was
// issued.
#include "base/number.h"
#include "base/text.h"
#include "store/renewer_kinds.h"
#include "store/renewer_text.h"

namespace certrebind {

namespace {

using std::chrono::days;

std::string unquoted(const std::string& text) {
  bool quoted = text.size() > 1 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0];
  return quoted ? text.substr(1, text.size() - 2) : text;
}

std::string conf_of(const StoreSetting& store, const std::string& name) {
  return store.path + "/renewal/" + name + ".conf";
}

// The lineage whose archive directory is `directory`; its name is nearly always the same.
std::string name_of_archive(const Files& files, const StoreSetting& store,
                            const std::string& directory) {
  if (files.stat(conf_of(store, directory))) return directory;
  auto names = files.list(store.path + "/renewal");
  if (!names) return directory;
  for (const std::string& name : *names) {
    auto text = files.read(store.path + "/renewal/" + name, kPemLimit);
    if (!text || !name.ends_with(".conf")) continue;
    if (file_name(plain_values(*text)["archive_dir"]) == directory)
      return name.substr(0, name.size() - 5);
  }
  return directory;
}

// certbot(1), --deploy-hook, --post-hook and --no-directory-hooks.
void add_hooks(const Files& files, const StoreSetting& store, Values& conf, Lineage& lineage) {
  for (const char* kept : {"renew_hook", "post_hook"})
    if (!conf[kept].empty()) lineage.hooks.push_back(unquoted(conf[kept]));
  for (const char* below : {"/renewal-hooks/deploy", "/renewal-hooks/post"}) {
    auto names = files.list(store.path + below);
    if (!names) continue;
    for (const std::string& name : *names) {
      std::string path = store.path + below + "/" + name;
      auto info = files.stat(path);
      if (info && (info->mode & 0111) != 0 && !name.ends_with('~')) lineage.hooks.push_back(path);
    }
  }
}

// When certbot renews. Up to 3.x: 30 days before expiry. Since 4.0.0 (its CHANGELOG): when a third
// of the lifetime is left, or half of it for lifetimes below ten days. renew_before_expiry
// overrides both. `version` is the certbot version that last wrote the file.
void set_due(const Files& files, Values& conf, Lineage& lineage) {
  if (to_lower(conf["autorenew"]) == "false") {
    lineage.due_rule = "never: autorenew is off in its renewal configuration";
    return;
  }
  std::string own = unquoted(conf["renew_before_expiry"]);
  if (auto before = interval_of(own))
    return set_due_before_expiry(files, *before, "renew_before_expiry = " + own, lineage);
  auto major = whole_number<int64_t>(split(conf["version"] + ".", '.').front());
  auto validity = validity_at(files, lineage.certificate_path);
  if (!major || *major < 4 || !validity)
    return set_due_before_expiry(files, days(30), "30 days before it expires", lineage);
  auto life = std::chrono::floor<std::chrono::seconds>(validity->second - validity->first);
  bool is_short = life < days(10);
  set_due_before_expiry(
      files, is_short ? life / 2 : life / 3,
      is_short ? "when half of its life is left" : "when a third of its life is left", lineage);
}

void set_commands_of_certbot(const Files& files, const StoreSetting& store, Values& conf,
                             Lineage& lineage) {
  if (conf["authenticator"] == "manual" && conf["manual_auth_hook"].empty()) {
    lineage.no_command = "it was issued with --manual and no hook: only a person can renew it";
    return;
  }
  std::vector<std::string> arguments = {"renew", "--cert-name", lineage.name, "--config-dir",
                                        store.path};
  for (auto [kept, option] : {std::pair{"work_dir", "--work-dir"}, {"logs_dir", "--logs-dir"}})
    if (!conf[kept].empty()) arguments.insert(arguments.end(), {option, conf[kept]});
  arguments.insert(arguments.end(), {"--non-interactive", "--no-random-sleep-on-renew"});
  set_command(lineage, find_program(files, {"certbot", "certbot-auto", "letsencrypt"}), arguments,
              {"--force-renewal"});
}

std::optional<Lineage> read_certbot(const Files& files, const StoreSetting& store,
                                    const std::string& within) {
  std::vector<std::string> parts = split(within, '/');
  if (parts.size() < 2 || (parts[0] != "live" && parts[0] != "archive") || parts[1] == "README")
    return std::nullopt;
  Lineage lineage;
  lineage.renewer = "certbot";
  lineage.name = parts[0] == "live" ? parts[1] : name_of_archive(files, store, parts[1]);
  lineage.directory = store.path + "/live/" + lineage.name;
  lineage.certificate_path = lineage.directory + "/fullchain.pem";
  lineage.key_path = lineage.directory + "/privkey.pem";
  std::string path = conf_of(store, lineage.name);
  auto text = files.read(path, kPemLimit);
  if (!text) {
    lineage.no_command = path + " cannot be read: certbot does not renew without it";
    lineage.due_rule = "never: it has no renewal configuration";
    return lineage;
  }
  Values conf = plain_values(*text);
  lineage.obeys = {path};
  add_hooks(files, store, conf, lineage);
  set_due(files, conf, lineage);
  set_commands_of_certbot(files, store, conf, lineage);
  return lineage;
}

}  // namespace

RenewerKind certbot_kind() {
  return {.kind = "certbot",
          .programs = {"certbot", "certbot-auto", "letsencrypt", "certbot.renew"},
          .name_options = {"--cert-name"},
          .place_options = {"--config-dir"},
          .read = read_certbot,
          .takes_command_of_job = false,
          .apply = nullptr,
          .copies = nullptr};
}

}  // namespace certrebind
