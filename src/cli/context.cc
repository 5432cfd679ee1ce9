#include "cli/context.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "cli/output.h"
#include "daemon/config_in_force.h"
#include "store/own.h"
#include "store/stores.h"
#include "sys/rights.h"
#include "sys/safe_way.h"

namespace certrebind {

namespace {

// An option overrides its variable, and both override the default.
void choose(std::string& into, const std::string& option, const char* variable) {
  const char* value = std::getenv(variable);
  if (!option.empty()) {
    into = absolute(option);
  } else if (value != nullptr && *value != '\0') {
    into = absolute(value);
  }
}

// sudo(8) may leave root the HOME of another user, whose renewers root must not run.
std::string home_directory(const Files& files) {
  constexpr const char* kRoots = "/root";
  const char* home = std::getenv("HOME");
  if (home == nullptr) return kRoots;
  return own_user() != 0 || SafeWay(files).to_content(home) ? home : kRoots;
}

}  // namespace

std::string absolute(const std::string& path) {
  std::error_code error;
  std::string here = std::filesystem::current_path(error).string();
  return normalized(absolute_in(error ? "/" : here, path));
}

namespace {

Result<Settings> load_and_check(const Files& files, Settings defaults, bool must_exist) {
  const std::string file = defaults.config_file;
  auto loaded = load_settings(files, std::move(defaults), must_exist);
  if (!loaded) return loaded;
  if (Done known = check_stores(loaded->stores); !known) {
    known.error().subject += " of " + file;
    return pass(known);
  }
  return loaded;
}

}  // namespace

// The settings of the file, or, if a mistake is borne, of its last good copy, or the defaults.
Done Context::load(Settings defaults, bool must_exist, Mistakes mistakes) {
  const std::string file = defaults.config_file;
  config_source_.file = file;
  auto loaded = load_and_check(disk_, defaults, must_exist);
  if (!loaded && (mistakes == Mistakes::end_it || loaded.error().code == Code::not_found))
    return pass(loaded);
  settings_ = loaded ? std::move(*loaded) : defaults;
  if (loaded) return {};
  config_source_ = {.file = {}, .mistake = loaded.error()};
  defaults.config_file = last_good_copy(file);
  auto copy = load_and_check(disk_, std::move(defaults), true);
  if (!copy) return {};
  config_source_.file = copy->config_file;
  settings_ = std::move(*copy);
  settings_.config_file = file;
  return {};
}

Result<std::unique_ptr<Context>> Context::create(const GlobalOptions& options, Mistakes mistakes) {
  auto context = std::make_unique<Context>();
  Settings settings;
  std::string usual_config = settings.config_file;
  choose(settings.config_file, options.config, "CERTREBIND_CONFIG");
  choose(settings.state_directory, options.state, "CERTREBIND_STATE");
  choose(settings.run_directory, options.run, "CERTREBIND_RUN");
  settings.stores = usual_stores(home_directory(context->disk_));
  bool must_exist = settings.config_file != usual_config;
  if (Done loaded = context->load(std::move(settings), must_exist, mistakes); !loaded)
    return pass(loaded);
  std::vector<StoreSetting>& stores = context->settings_.stores;
  stores.insert(stores.begin(), own_store(context->settings_.certificates_directory()));
  for (const std::string& typed : options.services) {
    auto id = parse_service_id(context->host(), typed);
    if (!id) return pass(id);
    id->path = absolute(id->path);
    context->only_.push_back(std::move(*id));
  }
  // A user who names a server takes responsibility for inspecting it.
  std::set<uint32_t> users;
  for (const std::string& user : context->settings_.users)
    if (auto number = user_called(user)) users.insert(*number);
  context->processes_.look_after(context->only_.empty() ? std::optional(std::move(users))
                                                        : std::nullopt);
  context->settings_.verbose = options.verbose;
  context->json_ = options.json;
  context->prober_ = std::make_unique<Prober>(context->network_, context->clock_,
                                              context->settings_.handshake_deadline);
  context->asker_ = std::make_unique<Asker>(*context->prober_);
  return context;
}

Host Context::host() {
  return {.files = disk_,
          .processes = processes_,
          .commands = commands_,
          .network = network_,
          .clock = clock_,
          .descriptions = settings_.descriptions_directory()};
}

const History& Context::history() {
  if (state_) return history_;
  auto state = State::open_for_reading(settings_);
  if (!state) return history_;
  state_.emplace(std::move(*state));
  journal_.emplace(state_->database(), clock_);
  if (auto history = read_history(state_->database(), *journal_)) history_ = std::move(*history);
  return history_;
}

void Context::remember(const Survey& survey) {
  Done noted = remember_look(disk_, settings_, survey, only_.empty(), clock_.wall());
  if (!noted) warn(noted.error());
}

namespace {

std::string hint_of(const Error& error) {
  const bool is_denied = error.code == Code::denied && error.hint.empty() && own_user() != 0;
  return is_denied ? "run it as root, or name directories of your own with --state and --run"
                   : error.hint;
}

}  // namespace

void warn(const Error& error) {
  print_error("certrebind: " + error.message());
  if (const std::string hint = hint_of(error); !hint.empty()) print_error("  " + hint);
}

int report_lookup(const Context& context, const Error& error) {
  if (error.code != Code::not_found && error.code != Code::failed) return report(error);
  auto state = State::open_for_reading(context.settings());
  if (state || state.error().code != Code::denied) return report(error);
  return report({Code::denied, error.doing, error.subject,
                 "this user may see only a part of the host, and not certrebind's records: " +
                     state.error().message(),
                 "run it as root"});
}

int report(const Error& error) {
  warn(error);
  note_failure({.message = error.message(), .next = hint_of(error)});
  return error.code == Code::usage || error.code == Code::not_found ? kUsage : kDiffers;
}

}  // namespace certrebind
