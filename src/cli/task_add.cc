#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/task_commands.h"
#include "daemon/existing_successions.h"
#include "state/wake.h"

namespace certrebind {

namespace {

struct TaskAddOptions {
  Task task;
  std::vector<std::string> events;
  std::string only, every, daily_at, window, time_limit, retry_after;
  std::vector<std::string> environment;
  bool run_for_existing = false;
  bool replace = false;
  bool disabled = false;
};

Error not_like(const char* option, const std::string& typed, const char* like) {
  return {Code::usage, "use", fmt::format("{} {}", option, printable(typed)),
          "it makes no sense there", fmt::format("it is written like {}", like)};
}

template <class Value, class Parse>
Done set_parsed(const char* option, const std::string& typed, const char* like, Parse parse,
                Value& into) {
  if (typed.empty()) return {};
  auto value = parse(typed);
  if (!value) return fail(not_like(option, typed, like));
  into = *value;
  return {};
}

// A window says what is wrong with it.
Done set_window(const std::string& typed, std::optional<Window>& into) {
  if (typed.empty()) return {};
  auto window = parse_window(typed);
  if (!window) return pass(window);
  into = *window;
  return {};
}

Done set_times(const TaskAddOptions& options, Task& task) {
  Done done = set_parsed("--every", options.every, "12h", parse_duration, task.every);
  if (done)
    done = set_parsed("--daily-at", options.daily_at, "03:30", parse_time_of_day, task.daily_at);
  if (done) done = set_window(options.window, task.window);
  if (done)
    done = set_parsed("--time-limit", options.time_limit, "1h", parse_duration, task.time_limit);
  if (done)
    done =
        set_parsed("--retry-after", options.retry_after, "10m", parse_duration, task.retry_after);
  return done;
}

Done set_environment(const TaskAddOptions& options, Task& task) {
  for (const std::string& typed : options.environment) {
    size_t equals = typed.find('=');
    if (equals == 0 || equals == std::string::npos)
      return fail(not_like("--env", typed, "NAME=value"));
    std::string name = typed.substr(0, equals);
    std::erase_if(task.environment, [&](const auto& present) { return present.first == name; });
    task.environment.emplace_back(name, typed.substr(equals + 1));
  }
  std::ranges::sort(task.environment);
  return {};
}

// Parses the text of the future file, so that command line and file have the same rules. There is
// no file yet, so errors name none.
Result<Task> checked(const Task& task) {
  if (!is_task_name(task.name))
    return fail(Code::usage, "add the task", printable(task.name), "that is no name for a task",
                "a name has 1 to 64 letters, digits, dots, dashes and underscores");
  auto same = parse_task(task.name + ".toml", to_toml(task));
  if (same) return same;
  Error error = same.error();
  error.doing = "add the task";
  error.subject = task.name;
  if (task.events.empty() && !task.has_timer()) error.hint = "give --event, --every or --daily-at";
  return fail(std::move(error));
}

Result<Task> task_of(Context& context, const TaskAddOptions& options) {
  Task task = options.task;
  task.enabled = !options.disabled;
  for (const std::string& typed : options.events) {
    auto id = event_named(typed);
    if (!id) return fail(not_like("--event", typed, "2002 or committed: certrebind-events(5)"));
    task.events.insert(static_cast<int>(*id));
  }
  if (!options.only.empty()) {
    auto service = parse_service_id(context.host(), options.only);
    if (!service) return pass(service);
    task.filter.service = ServiceId{service->kind, absolute(service->path)}.text();
  }
  if (!task.filter.store.empty()) task.filter.store = absolute(task.filter.store);
  if (Done set = set_times(options, task); !set) return pass(set);
  if (Done set = set_environment(options, task); !set) return pass(set);
  return checked(task);
}

// How a task that was added relates to what was there.
enum class Put { added, replaced, same };

Result<Put> put_task(Context& context, const TaskAddOptions& options, const Task& task) {
  Files& files = context.host().files;
  const std::string directory = context.settings().tasks_directory();
  const LoadedTasks loaded = load_tasks(context);
  const Task* present = loaded.find(task.name);
  if (present != nullptr && *present == task) return Put::same;
  Done done = check_program(context, task);
  if (done && present != nullptr && options.replace) {
    auto file = task_file(files, directory, own_user(), task.name);
    done = file ? rewrite_task(files, *file, task.name, to_toml(task)) : pass(file);
    if (done) return Put::replaced;
  }
  if (done) done = add_task(files, directory, own_user(), task);
  if (!done) return pass(done);
  return Put::added;
}

void print_added(Context& context, const Task& task, Put put, const ExistingRuns& runs) {
  std::string path = context.settings().tasks_directory() + "/" + task.name + ".toml";
  if (put != Put::same || runs.queued > 0) note_change();
  if (context.json()) {
    print_json({{"added", task.name},
                {"file", printable(path)},
                {"queued", runs.queued},
                {"not_followed", runs.too_long}});
    return;
  }
  static constexpr const char* kHow[] = {"added", "replaced", "there already"};
  print_line(
      fmt::format("task {} is {}: {}", task.name, kHow[static_cast<int>(put)], printable(path)));
  if (put != Put::same && task.events.contains(static_cast<int>(EventId::replaced)))
    print_line(
        "note: 1001 comes when a renewal is noticed, before any site serves it; what must\n"
        "      come after the proof belongs to event 2002, committed");
  if (runs.queued > 0)
    print_line(count_of(runs.queued, "run") + " for existing successions: queued");
  if (runs.too_long > 0)
    print_line(count_of(runs.too_long, "chain") + " of more than 20 successions: not followed");
}

int add(Context& context, const TaskAddOptions& options) {
  auto task = task_of(context, options);
  if (!task) return report(task.error());
  auto database = open_queue(context);
  if (!database) return report(database.error());
  auto put = put_task(context, options, *task);
  if (!put) return report(put.error());
  WallTime now = context.host().clock.wall();
  if (*put == Put::added)
    if (Done noted = TaskQueue(*database).added(*task, now); !noted) return report(noted.error());
  Result<ExistingRuns> runs;
  if (options.run_for_existing) runs = enqueue_for_existing(*database, *task, now);
  if (!runs) return report(runs.error());
  wake_daemon(context.host().files, context.settings());
  print_added(context, *task, *put, *runs);
  return kDone;
}

std::vector<CommandOption> options_of(TaskAddOptions& options) {
  Task& task = options.task;
  return {
      {"task", &task.name, "its name", "NAME", Need::required},
      {"command", &task.command, "program and arguments, behind --; no shell is involved",
       "COMMAND ARG…", Need::required},
      {"--event", &options.events,
       "number or name of an event that triggers it, like 2002 or committed; repeatable", "EVENT"},
      {"--name", &task.filter.names,
       "only for certificates with such a name, like *.example.com; repeatable", "GLOB"},
      {"--store", &task.filter.store, "… that lie there or below", "DIR"},
      {"--issuer", &task.filter.issuer, "… whose issuer's name has this part", "TEXT"},
      {"--only", &options.only, "only for events of this service", "KIND:PATH"},
      {"--every", &options.every, "a timer: 12h, 30m, 1d", "DURATION"},
      {"--daily-at", &options.daily_at, "a timer: 03:30, local time", "HH:MM"},
      {"--window", &options.window,
       "runs wait until it opens: 02:00-04:00, \"Sat,Sun 02:00-04:00 Europe/Berlin\"", "WINDOW"},
      {"--description", &task.description, "what it is for", "TEXT"},
      {"--time-limit", &options.time_limit, "it is killed after that; 1h", "DURATION"},
      {"--retries", &task.retries, "how often it is tried again; 3", "N:INT in [0 - 1000]",
       Need::optional, in_range(0, 1000)},
      {"--retry-after", &options.retry_after, "… and when; 10m", "DURATION"},
      {"--env", &options.environment, "an environment variable; repeatable", "NAME=VALUE"},
      {"--once-per-batch", &task.once_per_batch, "one run for all events that wait"},
      {"--replace", &options.replace, "the task may exist: it becomes what is given here"},
      {"--disabled", &options.disabled, "it does not run until certrebind task enable"},
      {"--run-for-existing", &options.run_for_existing,
       "queue runs for the successions of the past, each followed to its end"}};
}

}  // namespace

CommandSpec task_add_command() {
  auto options = std::make_shared<TaskAddOptions>();
  return {
      .name = "add",
      .summary = "add a task: what triggers it, what it runs",
      .options = options_of(*options),
      .footer =
          "Variables: $(OldCertHash) $(NewCertHash) $(OldCertSha1) $(NewCertSha1) "
          "$(EventRecordId)\n"
          "$(EventId) $(Names) $(Path) $(Lineage) $(Service) $(TaskName); quote them for your "
          "shell.\n"
          "Example:\n"
          "  certrebind task add cdn --event committed --name 'www.*' -- /usr/local/sbin/to-cdn\n"
          "Event 2002, committed, comes after the proof: what serves or sends the certificate\n"
          "belongs there. 1001, replaced, comes when a renewal is noticed, before any site has it.",
      .run = [options](Context& context) { return add(context, *options); }};
}

}  // namespace certrebind
