#include "state/settings.h"

#include <fmt/format.h>

#include "base/text.h"
#include "state/toml_reader.h"
#include "sys/day_time.h"
#include "sys/rights.h"
#include "sys/safe_way.h"

namespace certrebind {

namespace {

void read_stores(TomlReader& reader, const toml::table& root, Settings& settings) {
  const toml::node* node = root.get("store");
  if (node == nullptr) return;
  if (!node->is_array_of_tables()) {
    reader.complain(node->source(), "stores are written as [[store]] tables");
    return;
  }
  for (const toml::node& entry : *node->as_array()) {
    const toml::table& store = *entry.as_table();
    reader.only(store, {"kind", "path", "renew"});
    StoreSetting setting{.kind = reader.text(store, "kind"), .path = reader.text(store, "path")};
    reader.texts(store, "renew", setting.renew);
    if (store.contains("renew") && setting.renew.empty())
      reader.complain(store.get("renew")->source(), "'renew' must be a list of texts");
    settings.stores.push_back(std::move(setting));
  }
}

std::optional<Policy::Automatic> automatic_of(const std::string& text) {
  if (text == "yes") return Policy::Automatic::yes;
  if (text == "notify") return Policy::Automatic::notify;
  if (text == "no") return Policy::Automatic::no;
  return std::nullopt;
}

void read_policies(TomlReader& reader, const toml::table& root, Settings& settings) {
  const toml::node* node = root.get("policy");
  if (node == nullptr) return;
  if (!node->is_array_of_tables()) {
    reader.complain(node->source(), "policies are written as [[policy]] tables");
    return;
  }
  for (const toml::node& entry : *node->as_array()) {
    const toml::table& table = *entry.as_table();
    reader.only(table, {"service", "site", "certificate", "automatic", "window", "allow_restart"});
    Policy policy;
    reader.optional_text(table, "service", policy.service);
    reader.optional_text(table, "site", policy.site);
    reader.optional_text(table, "certificate", policy.certificate);
    reader.optional_text(table, "window", policy.window);
    if (auto window = parse_window(policy.window); !policy.window.empty() && !window)
      reader.complain(table.get("window")->source(),
                      "'window' must be like \"02:00-04:00\": " + window.error().cause,
                      window.error().hint);
    if (table.contains("automatic")) {
      auto automatic = automatic_of(reader.text(table, "automatic"));
      if (!automatic)
        reader.complain(table.get("automatic")->source(),
                        "'automatic' must be \"yes\", \"notify\" or \"no\"");
      policy.automatic = automatic.value_or(Policy::Automatic::no);
    }
    reader.boolean(table, "allow_restart", policy.allow_restart);
    if (policy.allow_restart && (table.contains("site") || table.contains("certificate")))
      reader.complain(table.get("allow_restart")->source(),
                      "'allow_restart' concerns a whole server: it cannot stand beside 'site' or "
                      "'certificate'",
                      "give it a [[policy]] with 'service' only, before the others");
    settings.policies.push_back(std::move(policy));
  }
}

void read_daemon(TomlReader& reader, const toml::table& table, Settings& settings) {
  reader.only(table, {"quiet_seconds", "gather_seconds", "pair_seconds", "log_events", "log_days"});
  auto seconds = [&](std::string_view name, double least, double most, milliseconds& into) {
    double value = static_cast<double>(into.count()) / 1000;
    reader.number(table, name, least, most, value);
    into = milliseconds(static_cast<int64_t>(value * 1000));
  };
  seconds("quiet_seconds", 0.05, 600, settings.quiet);
  seconds("gather_seconds", 0.05, 3600, settings.gather);
  seconds("pair_seconds", 0.05, 3600, settings.pair_patience);
  reader.number(table, "log_events", 100, 10'000'000, settings.log_events);
  reader.number(table, "log_days", 1, 36'500, settings.log_days);
}

void read_into(TomlReader& reader, const toml::table& root, Settings& settings) {
  reader.only(root, {"store", "default_stores", "check", "verify", "history", "policy", "daemon",
                     "servers"});
  bool default_stores = true;
  reader.boolean(root, "default_stores", default_stores);
  if (!default_stores) settings.stores.clear();
  read_stores(reader, root, settings);
  read_policies(reader, root, settings);
  if (const toml::table* daemon = reader.table("daemon")) read_daemon(reader, *daemon, settings);
  if (const toml::table* check = reader.table("check")) {
    reader.only(*check, {"expiry_fraction", "expiry_days"});
    reader.number(*check, "expiry_fraction", 0, 1, settings.expiry_fraction);
    reader.number(*check, "expiry_days", 0, 3650, settings.expiry_days);
  }
  if (const toml::table* verify = reader.table("verify")) {
    reader.only(*verify, {"seconds", "handshake_seconds"});
    double seconds = static_cast<double>(settings.verify_at_least.count()) / 1000;
    double handshake = static_cast<double>(settings.handshake_deadline.count()) / 1000;
    reader.number(*verify, "seconds", 1, 3600, seconds);
    reader.number(*verify, "handshake_seconds", 0.1, 600, handshake);
    settings.verify_at_least = milliseconds(static_cast<int64_t>(seconds * 1000));
    settings.handshake_deadline = milliseconds(static_cast<int64_t>(handshake * 1000));
  }
  if (const toml::table* servers = reader.table("servers")) {
    reader.only(*servers, {"users"});
    reader.texts(*servers, "users", settings.users);
    for (const std::string& user : settings.users)
      if (!user_called(user))
        reader.complain(servers->get("users")->source(),
                        fmt::format("this machine has no user '{}'", printable(user)));
  }
  if (const toml::table* history = reader.table("history")) {
    reader.only(*history, {"keep_days"});
    reader.number(*history, "keep_days", 1, 3650, settings.keep_days);
  }
}

}  // namespace

std::string Settings::tasks_directory() const {
  return parent_directory(config_file) + "/tasks.d";
}

std::string Settings::descriptions_directory() const {
  return parent_directory(config_file) + "/services.d";
}

std::string Settings::certificates_directory() const {
  return parent_directory(config_file) + "/certificates";
}

std::string Settings::requests_directory() const {
  return parent_directory(config_file) + "/requests";
}

Result<Settings> load_settings(const Files& files, Settings settings, bool must_exist) {
  // Commands in the file run as root, such as `renew`.
  if (own_user() == 0)
    if (Done ours = SafeWay(files).to_content(settings.config_file); !ours) return pass(ours);
  auto text = files.read(settings.config_file, kPemLimit);
  if (!text && text.error().code == Code::not_found && !must_exist) return settings;
  if (!text) return pass(text);
  auto root = parse_toml(settings.config_file, *text);
  if (!root) return pass(root);
  TomlReader reader(settings.config_file, *root);
  read_into(reader, *root, settings);
  if (reader.complaint()) return fail(*reader.complaint());
  return settings;
}

}  // namespace certrebind
