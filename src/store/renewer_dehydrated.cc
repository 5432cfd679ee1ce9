// dehydrated: CERTDIR/ALIAS/fullchain.pem. Its configuration is a shell script, and domains.txt.
#include <fmt/format.h>

#include <algorithm>

#include "base/number.h"
#include "base/text.h"
#include "store/renewer_kinds.h"
#include "store/renewer_text.h"

namespace certrebind {

namespace {

constexpr int kDays = 30;  // default of RENEW_DAYS, dehydrated 0.7.0

struct Configuration {
  std::string path;
  Values values;
  std::vector<std::string> obeys;
};

// A line of domains.txt: "NAME OTHER-NAME… > ALIAS".
struct Line {
  std::string names;  // separated by single spaces
  std::string alias;
};

std::string certificates_directory(Values& values) {
  return values["CERTDIR"].empty() ? values["BASEDIR"] + "/certs" : values["CERTDIR"];
}

// The file, and those of CONFIG_D that end in .sh, in the order in which dehydrated sources them.
std::optional<Configuration> read_configuration(const Files& files, const std::string& path) {
  auto text = files.read(path, kPemLimit);
  if (!text) return std::nullopt;
  Configuration found{.path = path, .values = {}, .obeys = {path}};
  found.values = shell_values(*text, {{"BASEDIR", parent_directory(path)}});
  std::string more = found.values["CONFIG_D"];
  auto names = more.empty() ? Result<std::vector<std::string>>() : files.list(more);
  if (!names) return found;
  for (const std::string& name : *names) {
    auto part = files.read(more + "/" + name, kPemLimit);
    if (!name.ends_with(".sh") || !part) continue;
    found.values = shell_values(*part, found.values);
    found.obeys.push_back(more + "/" + name);
  }
  return found;
}

// dehydrated itself looks into /etc and /usr/local/etc; people put one beside certs/.
std::optional<Configuration> configuration_for(const Files& files, const StoreSetting& store) {
  for (const std::string& path :
       {std::string("/etc/dehydrated/config"), std::string("/usr/local/etc/dehydrated/config"),
        parent_directory(store.path) + "/config"}) {
    auto found = read_configuration(files, path);
    if (found && normalized(certificates_directory(found->values)) == normalized(store.path))
      return found;
  }
  return std::nullopt;
}

std::optional<Line> line_of(std::string_view written) {
  std::string spaced;
  for (char c : to_lower(trim(written)))
    spaced += c == '>' ? std::string(" > ") : std::string(1, c);
  if (spaced.empty() || spaced[0] == '#') return std::nullopt;
  std::vector<std::string> names;
  std::string alias;
  bool alias_is_next = false;
  for (const std::string& word : split(spaced, ' ')) {
    if (trim(word).empty()) continue;
    if (alias_is_next) {
      alias = trim(word);
    } else if (word != ">") {
      names.emplace_back(trim(word));
    }
    alias_is_next = word == ">";
  }
  if (names.empty()) return std::nullopt;
  return Line{join(names, " "), alias.empty() ? names.front() : alias};
}

std::optional<Line> find_line(const Files& files, const std::string& path,
                              const std::string& alias) {
  auto text = files.read(path, kConfigLimit);
  if (!text) return std::nullopt;
  for (const std::string& written : split(*text, '\n'))
    if (auto line = line_of(written); line && line->alias == alias) return line;
  return std::nullopt;
}

// The settings that a certificate may have of its own beside it.
void read_own_settings(const Files& files, Configuration& configuration, Lineage& lineage) {
  std::string path = lineage.directory + "/config";
  if (!configuration.values["DOMAINS_D"].empty())
    path = configuration.values["DOMAINS_D"] + "/" + lineage.name;
  auto text = files.read(path, kPemLimit);
  if (!text) return;
  configuration.values = shell_values(*text, configuration.values);
  configuration.obeys.push_back(path);
}

void set_commands_of_dehydrated(const Files& files, Configuration& configuration,
                                Lineage& lineage) {
  std::string list = configuration.values["DOMAINS_TXT"];
  if (list.empty()) list = configuration.values["BASEDIR"] + "/domains.txt";
  auto line = find_line(files, list, lineage.name);
  if (!line) {
    lineage.no_command = fmt::format("{} does not name {}", list, lineage.name);
    lineage.due_rule = "never: " + lineage.no_command;
    lineage.due.reset();
    return;
  }
  std::vector<std::string> arguments = {"--cron", "--config", configuration.path, "--domain",
                                        line->names};
  if (split(line->names, ' ').front() != line->alias)
    arguments.insert(arguments.end(), {"--alias", line->alias});
  lineage.obeys.push_back(list);
  set_command(lineage, find_program(files, {"dehydrated"}), arguments, {"--force"});
}

std::optional<Lineage> read_dehydrated(const Files& files, const StoreSetting& store,
                                       const std::string& within) {
  std::vector<std::string> parts = split(within, '/');
  if (parts.size() < 2) return std::nullopt;
  Lineage lineage;
  lineage.renewer = "dehydrated";
  lineage.name = parts[0];
  lineage.directory = store.path + "/" + lineage.name;
  lineage.certificate_path = lineage.directory + "/fullchain.pem";
  lineage.key_path = lineage.directory + "/privkey.pem";
  auto configuration = configuration_for(files, store);
  if (!configuration) {
    lineage.no_command =
        "the configuration of dehydrated that belongs to " + store.path + " was not found";
    set_due_before_expiry(files, std::chrono::days(kDays), "30 days before it expires", lineage);
    return lineage;
  }
  read_own_settings(files, *configuration, lineage);
  auto own_days = whole_number<int64_t>(configuration->values["RENEW_DAYS"]);
  int64_t left = own_days && *own_days >= 0 && *own_days < 36'500 ? *own_days : kDays;
  set_due_before_expiry(files, std::chrono::days(left),
                        fmt::format("{} days before it expires", left), lineage);
  if (const std::string& hook = configuration->values["HOOK"]; !hook.empty())
    lineage.hooks.push_back(hook);
  lineage.obeys = configuration->obeys;
  set_commands_of_dehydrated(files, *configuration, lineage);
  return lineage;
}

}  // namespace

RenewerKind dehydrated_kind() {
  return {.kind = "dehydrated",
          .programs = {"dehydrated"},
          .name_options = {"-d", "--domain", "--alias"},
          .place_options = {"-f", "--config"},
          .read = read_dehydrated,
          .takes_command_of_job = false,
          .apply = nullptr,
          .copies = nullptr};
}

}  // namespace certrebind
