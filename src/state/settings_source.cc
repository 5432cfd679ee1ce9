#include "state/settings_source.h"

#include <fmt/format.h>

#include "base/text.h"
#include "state/toml_reader.h"

namespace certrebind {

namespace {

std::string seconds_text(milliseconds time) {
  return fmt::format("{}", static_cast<double>(time.count()) / 1000);
}

std::string list_text(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back("\"" + text + "\"");
  return "[" + join(quoted, ", ") + "]";
}

// In the order of certrebind.toml(5).
std::vector<SettingInForce> all_settings(const Settings& settings, bool default_stores) {
  return {{"default_stores", default_stores ? "true" : "false"},
          {"daemon.quiet_seconds", seconds_text(settings.quiet)},
          {"daemon.gather_seconds", seconds_text(settings.gather)},
          {"daemon.pair_seconds", seconds_text(settings.pair_patience)},
          {"daemon.log_events", fmt::format("{}", settings.log_events)},
          {"daemon.log_days", fmt::format("{}", settings.log_days)},
          {"check.expiry_fraction", fmt::format("{}", settings.expiry_fraction)},
          {"check.expiry_days", fmt::format("{}", settings.expiry_days)},
          {"verify.seconds", seconds_text(settings.verify_at_least)},
          {"verify.handshake_seconds", seconds_text(settings.handshake_deadline)},
          {"history.keep_days", fmt::format("{}", settings.keep_days)},
          {"servers.users", list_text(settings.users)}};
}

int line_of(const toml::node_view<const toml::node>& node) {
  return node ? static_cast<int>(node.node()->source().begin.line) : 0;
}

std::vector<int> lines_of_tables(const toml::table& root, const char* name) {
  std::vector<int> lines;
  if (const toml::array* tables = root[name].as_array())
    for (const toml::node& table : *tables)
      lines.push_back(static_cast<int>(table.source().begin.line));
  return lines;
}

}  // namespace

Result<SettingsSource> source_of_settings(const Files& files, const std::string& file,
                                          const Settings& settings) {
  SettingsSource source{.file = file, .settings = all_settings(settings, true)};
  auto text = files.read(file, kPemLimit);
  if (!text && text.error().code == Code::not_found) return source;
  if (!text) return pass(text);
  auto parsed = parse_toml(file, *text);
  if (!parsed) return pass(parsed);
  const toml::table& root = *parsed;
  source.settings = all_settings(settings, root["default_stores"].value_or(true));
  for (SettingInForce& setting : source.settings) setting.line = line_of(root.at_path(setting.key));
  source.policies = lines_of_tables(root, "policy");
  source.stores = lines_of_tables(root, "store");
  return source;
}

}  // namespace certrebind
