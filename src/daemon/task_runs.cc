#include "daemon/task_runs.h"

#include <array>

namespace certrebind {

namespace {

constexpr std::array kStates = {
    std::pair{RunState::queued, "queued"}, std::pair{RunState::running, "running"},
    std::pair{RunState::done, "done"}, std::pair{RunState::failed, "failed"}};

// An unknown word (from a newer certrebind) is a state in which we do not start the run.
RunState state_of(const std::string& text) {
  for (const auto& [state, word] : kStates)
    if (text == word) return state;
  return RunState::failed;
}

// Outputs are large, so they are read one by one.
std::string select_runs(const char* output, const std::string& where) {
  return std::string(
             "SELECT id, task, event, state, attempt, due_ms, started_ms, ended_ms, status, ") +
         output + " FROM task_runs WHERE " + where;
}

std::optional<WallTime> time_in(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return WallTime(milliseconds(column.getInt64()));
}

TaskRun run_at(SQLite::Statement& select) {
  TaskRun run;
  run.id = select.getColumn(0).getInt64();
  run.task = select.getColumn(1).getString();
  if (!select.getColumn(2).isNull()) run.event = select.getColumn(2).getInt64();
  run.state = state_of(select.getColumn(3).getString());
  run.attempt = select.getColumn(4).getInt();
  run.due = *time_in(select.getColumn(5));
  run.started = time_in(select.getColumn(6));
  run.ended = time_in(select.getColumn(7));
  if (!select.getColumn(8).isNull()) run.status = select.getColumn(8).getInt();
  run.output = select.getColumn(9).getString();
  return run;
}

// A run that waits for its next attempt has a new event now, so it need not wait.
void renew(Database& database, const TaskRun& run, std::optional<int64_t> event, WallTime due) {
  SQLite::Statement update(database.handle(),
                           "UPDATE task_runs SET event = ?, attempt = 1, due_ms = min(due_ms, ?) "
                           "WHERE id = ?");
  if (event) update.bind(1, *event);
  update.bind(2, static_cast<int64_t>(due.time_since_epoch().count()));
  update.bind(3, run.id);
  update.exec();
}

}  // namespace

std::string to_text(RunState state) {
  for (const auto& [known, word] : kStates)
    if (state == known) return word;
  return "unknown";
}

int64_t insert_run(Database& database, const TaskRun& run, const std::string& runner) {
  SQLite::Statement insert(database.handle(),
                           "INSERT INTO task_runs (task, event, state, attempt, due_ms, "
                           "started_ms, runner) VALUES (?, ?, ?, ?, ?, ?, ?)");
  insert.bind(1, run.task);
  if (run.event) insert.bind(2, *run.event);
  insert.bind(3, to_text(run.state));
  insert.bind(4, run.attempt);
  insert.bind(5, static_cast<int64_t>(run.due.time_since_epoch().count()));
  if (run.started) insert.bind(6, static_cast<int64_t>(run.started->time_since_epoch().count()));
  insert.bind(7, runner);
  insert.exec();
  return database.handle().getLastInsertRowid();
}

std::optional<TaskRun> run_of(Database& database, int64_t id) {
  SQLite::Statement select(database.handle(), select_runs("output", "id = ?"));
  select.bind(1, id);
  if (!select.executeStep()) return std::nullopt;
  return run_at(select);
}

std::vector<TaskRun> runs_where(Database& database, const std::string& where,
                                const std::string& text) {
  SQLite::Statement select(database.handle(), select_runs("''", where));
  select.bind(1, text);
  std::vector<TaskRun> runs;
  while (select.executeStep()) runs.push_back(run_at(select));
  return runs;
}

std::string runner_in(Database& database, int64_t id) {
  SQLite::Statement select(database.handle(), "SELECT runner FROM task_runs WHERE id = ?");
  select.bind(1, id);
  return select.executeStep() ? select.getColumn(0).getString() : "";
}

bool is_running(Database& database, const std::string& task) {
  return !runs_where(database, "state = 'running' AND task = ? LIMIT 1", task).empty();
}

std::optional<TaskRun> first_queued(Database& database, const std::string& task) {
  auto runs =
      runs_where(database, "state = 'queued' AND task = ? ORDER BY due_ms, id LIMIT 1", task);
  if (runs.empty()) return std::nullopt;
  return std::move(runs.front());
}

int64_t enqueue_run(Database& database, const Task& task, std::optional<int64_t> event,
                    WallTime due) {
  auto waiting = task.once_per_batch ? first_queued(database, task.name) : std::nullopt;
  if (!waiting) return insert_run(database, {.task = task.name, .event = event, .due = due});
  renew(database, *waiting, event, due);
  return waiting->id;
}

}  // namespace certrebind
