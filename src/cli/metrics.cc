#include "acts/metrics.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/rebind_task.h"
#include "sys/rights.h"
#include "sys/safe_way.h"

namespace certrebind {

namespace {

Result<Operation> operation_of(Context& context, CheckReport& report) {
  const Settings& settings = context.settings();
  LoadedTasks tasks = load_tasks(context.host().files, settings.tasks_directory(), own_user());
  Operation operation{.enabled = rebinds_automatically(tasks), .running = daemon_runs(settings)};
  auto state = State::open_for_reading(settings);
  if (!state && state.error().code == Code::not_found) return operation;
  if (!state) return pass(state);
  Journal journal(state->database(), context.host().clock);
  auto rows = journal.all();
  if (!rows) return pass(rows);
  operation.transactions = std::move(*rows);
  auto needed = attention(state->database());
  if (!needed) return pass(needed);
  needed = attention_now(settings, std::move(*needed), report, operation.enabled,
                         context.host().clock.wall());
  operation.attention = needed->size() + tasks.errors.size();
  return operation;
}

// The collector may read at any moment, so the file is replaced as a whole.
Done replace_with(Files& files, const std::string& path, const std::string& text) {
  const std::string temporary = path + "." + std::to_string(own_pid());
  if (files.lstat(temporary))
    if (Done removed = files.remove(temporary); !removed) return removed;
  Done written =
      files.create(temporary, text, {.mode = 0644, .owner = {}, .group = {}, .extended = {}});
  return written ? files.rename(temporary, path) : written;
}

// The user, if not root, who owns a directory on the way there: the collector's, as a rule.
std::optional<uint32_t> owner_on_the_way(const Files& files, const std::string& path) {
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    auto info = files.lstat(path.substr(0, end));
    if (info && info->owner != 0) return info->owner;
  }
  return std::nullopt;
}

// Such a user could lead root elsewhere by a link, so the file is written with that user's rights.
Done write_for_collector(Files& files, const std::string& path, const std::string& text) {
  Done safe = own_user() == 0 ? SafeWay(files).to(path) : Done();
  if (safe) return replace_with(files, path, text);
  auto owner = owner_on_the_way(files, path);
  return owner ? replace_with(*files_seen_by(*owner), path, text) : safe;
}

int metrics(Context& context, const std::string& output) {
  auto result = make_report(context.looking(), context.history(), {});
  if (!result) return report(result.error());
  auto operation = operation_of(context, *result);
  if (!operation) return report(operation.error());
  const std::string text = metrics_text(*result, *operation, context.host().clock.wall());
  if (output.empty()) {
    context.json() ? print_json({{"text", text}}) : print_whole(text);
    return kDone;
  }
  Done written = write_for_collector(context.host().files, absolute(output), text);
  if (!written) return report(written.error());
  note_change();
  print_json({{"output", printable(absolute(output))}});
  return kDone;
}

}  // namespace

CommandSpec metrics_command() {
  auto output = std::make_shared<std::string>();
  return {.name = "metrics",
          .summary = "what check and status say, for Prometheus' node_exporter",
          .options = {{"--output,-o", output.get(), "replace this file as a whole", "FILE"}},
          .footer =
              "Example:\n"
              "  certrebind metrics -o /var/lib/prometheus/node-exporter/certrebind.prom",
          .run = [output](Context& context) { return metrics(context, *output); }};
}

}  // namespace certrebind
