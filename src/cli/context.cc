#include "cli/context.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "cli/output.h"
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

Result<std::unique_ptr<Context>> Context::create(const GlobalOptions& options) {
  auto context = std::make_unique<Context>();
  Settings settings;
  std::string usual_config = settings.config_file;
  choose(settings.config_file, options.config, "CERTREBIND_CONFIG");
  choose(settings.state_directory, options.state, "CERTREBIND_STATE");
  choose(settings.run_directory, options.run, "CERTREBIND_RUN");
  settings.stores = usual_stores(home_directory(context->disk_));
  bool must_exist = settings.config_file != usual_config;
  auto loaded = load_settings(context->disk_, std::move(settings), must_exist);
  if (!loaded) return pass(loaded);
  context->settings_ = std::move(*loaded);
  if (Done known = check_stores(context->settings_.stores); !known) {
    known.error().subject += " of " + context->settings_.config_file;
    return pass(known);
  }
  for (const std::string& typed : options.services) {
    auto id = parse_service_id(typed);
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
          .clock = clock_};
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
  if (!noted) report(noted.error());
}

int report(const Error& error) {
  print_error("certrebind: " + error.message());
  if (!error.hint.empty()) print_error("  " + error.hint);
  return error.code == Code::usage || error.code == Code::not_found ? kUsage : kDiffers;
}

}  // namespace certrebind
