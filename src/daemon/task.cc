#include "daemon/task.h"

#include <algorithm>

#include "base/text.h"
#include "daemon/task_variables.h"
#include "lifecycle/events.h"
#include "state/toml_reader.h"

namespace certrebind {

namespace {

constexpr size_t kLongestName = 64;
constexpr int kMostRetries = 1000;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_variable_name(std::string_view name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '_'; });
}

// What a parser says of a wrong value, if it does.
template <class Value>
std::string parser_says(const std::optional<Value>&) {
  return "";
}
template <class Value>
std::string parser_says(const Result<Value>& value) {
  return ": " + value.error().cause;
}

// A value given as text that `parse` must accept.
template <class Value, class Parse>
void read_parsed(TomlReader& reader, const toml::table& root, const char* name, const char* like,
                 Parse parse, Value& into) {
  const toml::node* node = root.get(name);
  if (node == nullptr) return;
  std::string text;
  reader.optional_text(root, name, text);
  auto value = parse(text);
  if (value)
    into = *value;
  else
    reader.complain(node->source(),
                    fmt::format("'{}' must be like {}{}", name, like, parser_says(value)));
}

void read_name(TomlReader& reader, const toml::table& root, const std::string& file, Task& task) {
  std::string stem = file_name(file);
  task.name = stem.ends_with(".toml") ? stem.substr(0, stem.size() - 5) : stem;
  reader.optional_text(root, "name", task.name);
  if (is_task_name(task.name)) return;
  const toml::node* node = root.get("name");
  reader.complain(node ? node->source() : root.source(),
                  fmt::format("'{}' cannot be a task's name", printable(task.name)),
                  "a name has 1 to 64 letters, digits, dots, dashes and underscores");
}

void read_events(TomlReader& reader, const toml::table& root, Task& task) {
  const toml::node* node = root.get("events");
  if (node == nullptr) return;
  if (!node->is_array()) {
    reader.complain(node->source(), "'events' must be a list of events, like [2002]");
    return;
  }
  for (const toml::node& entry : *node->as_array()) {
    auto typed = entry.is_integer() ? std::to_string(entry.value_or<int64_t>(0))
                                    : entry.value_or<std::string>("");
    if (auto id = event_named(typed))
      task.events.insert(static_cast<int>(*id));
    else
      reader.complain(entry.source(), fmt::format("'{}' is no event", printable(typed)),
                      "certrebind-events(5) lists them: 2002, committed, is a proven rebind");
  }
}

void check_text(TomlReader& reader, const toml::source_region& at, const std::string& text) {
  if (text.find('\0') != std::string::npos)
    reader.complain(at, "a NUL byte cannot be handed to a program");
  if (auto unknown = unknown_variable(text))
    reader.complain(at, fmt::format("{} is no variable of a task", printable(*unknown)),
                    "known: " + join(variable_names(), " ") +
                        "; no shell is involved: what needs one goes into a script");
}

void read_command(TomlReader& reader, const toml::table& root, Task& task) {
  reader.texts(root, "command", task.command);
  const toml::node* node = root.get("command");
  if (task.command.empty() || task.command.front().empty())
    reader.complain(node ? node->source() : root.source(),
                    "'command' must be given: a program and its arguments",
                    "command = [\"/usr/local/sbin/deploy\", \"$(NewCertHash)\"]");
  for (const std::string& argument : task.command) check_text(reader, node->source(), argument);
}

void read_environment(TomlReader& reader, Task& task) {
  const toml::table* table = reader.table("environment");
  if (table == nullptr) return;
  for (const auto& [key, node] : *table) {
    std::string name(key.str()), value;
    if (!is_variable_name(name))
      reader.complain(key.source(), fmt::format("'{}' cannot be an environment variable", name));
    reader.optional_text(*table, name, value);
    check_text(reader, node.source(), value);
    task.environment.emplace_back(std::move(name), std::move(value));
  }
}

void read_filter(TomlReader& reader, const toml::table& root, TaskFilter& filter) {
  reader.texts(root, "names", filter.names);
  reader.optional_text(root, "store", filter.store);
  reader.optional_text(root, "issuer", filter.issuer);
  reader.optional_text(root, "service", filter.service);
  if (filter.store.empty()) return;
  if (!filter.store.starts_with('/'))
    reader.complain(root.get("store")->source(), "'store' must be an absolute path");
  filter.store = normalized(filter.store);
}

void read_times(TomlReader& reader, const toml::table& root, Task& task) {
  read_parsed(reader, root, "every", "\"12h\"", parse_duration, task.every);
  read_parsed(reader, root, "daily_at", "\"03:30\"", parse_time_of_day, task.daily_at);
  read_parsed(reader, root, "window", "\"02:00-04:00\"", parse_window, task.window);
  read_parsed(reader, root, "time_limit", "\"1h\"", parse_duration, task.time_limit);
  read_parsed(reader, root, "retry_after", "\"10m\"", parse_duration, task.retry_after);
  if (task.every && task.daily_at)
    reader.complain(root.get("daily_at")->source(), "either 'every' or 'daily_at', not both");
}

void read_task(TomlReader& reader, const toml::table& root, const std::string& file, Task& task) {
  reader.only(root, {"name", "description", "enabled", "events", "names", "store", "issuer",
                     "service", "every", "daily_at", "window", "command", "environment",
                     "time_limit", "retries", "retry_after", "once_per_batch"});
  read_name(reader, root, file, task);
  reader.optional_text(root, "description", task.description);
  reader.boolean(root, "enabled", task.enabled);
  read_events(reader, root, task);
  read_filter(reader, root, task.filter);
  read_times(reader, root, task);
  read_command(reader, root, task);
  read_environment(reader, task);
  reader.number(root, "retries", 0, kMostRetries, task.retries);
  reader.boolean(root, "once_per_batch", task.once_per_batch);
  if (task.events.empty() && !task.has_timer())
    reader.complain(root.source(), "it has no trigger and would never run",
                    "give 'events', 'every' or 'daily_at'");
}

// A TOML basic string.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      out.append("\\").append(1, c);
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + "\"";
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const std::string& text : texts) parts.push_back(quoted(text));
  return "[" + join(parts, ", ") + "]";
}

// "[1001, 2002]  # replaced, committed"
std::string event_list(const std::set<int>& events) {
  std::vector<std::string> ids, names;
  for (int id : events) {
    ids.push_back(std::to_string(id));
    names.push_back(to_text(static_cast<EventId>(id)));
  }
  return "[" + join(ids, ", ") + "]  # " + join(names, ", ");
}

}  // namespace

bool is_task_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' &&
         std::ranges::all_of(
             name, [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

Result<Task> parse_task(const std::string& file, const std::string& text) {
  auto root = parse_toml(file, text);
  if (!root) return pass(root);
  TomlReader reader(file, *root);
  Task task;
  read_task(reader, *root, file, task);
  if (reader.complaint()) return fail(*reader.complaint());
  return task;
}

Result<std::string> with_enabled(const std::string& file, const std::string& text, bool enabled) {
  auto root = parse_toml(file, text);
  if (!root) return pass(root);
  std::vector<std::string> lines = split(text, '\n');
  const std::string value = enabled ? "true" : "false";
  if (const toml::node* node = root->get("enabled")) {
    const toml::source_region& at = node->source();
    if (!node->is_boolean() || at.begin.line != at.end.line || at.begin.line > lines.size())
      return fail(Code::usage, "change", file, "'enabled' must be true or false");
    const size_t from = at.begin.column - 1;
    lines[at.begin.line - 1].replace(from, at.end.column - at.begin.column, value);
    return join(lines, "\n");
  }
  // The first line is before every table.
  return fmt::format("enabled = {}\n{}", value, text);
}

std::string to_toml(const Task& task) {
  const Task usual;
  std::string text;
  auto line = [&](bool wanted, const char* key, const std::string& value) {
    if (wanted) text += fmt::format("{} = {}\n", key, value);
  };
  const TaskFilter& filter = task.filter;
  line(true, "name", quoted(task.name));
  line(!task.description.empty(), "description", quoted(task.description));
  line(!task.enabled, "enabled", "false");
  line(!task.events.empty(), "events", event_list(task.events));
  line(!filter.names.empty(), "names", quoted_list(filter.names));
  line(!filter.store.empty(), "store", quoted(filter.store));
  line(!filter.issuer.empty(), "issuer", quoted(filter.issuer));
  line(!filter.service.empty(), "service", quoted(filter.service));
  if (task.every) line(true, "every", quoted(to_text(*task.every)));
  if (task.daily_at) line(true, "daily_at", quoted(time_of_day_text(*task.daily_at)));
  if (task.window) line(true, "window", quoted(task.window->text()));
  line(true, "command", quoted_list(task.command));
  line(task.time_limit != usual.time_limit, "time_limit", quoted(to_text(task.time_limit)));
  line(task.retries != usual.retries, "retries", std::to_string(task.retries));
  line(task.retry_after != usual.retry_after, "retry_after", quoted(to_text(task.retry_after)));
  line(task.once_per_batch, "once_per_batch", "true");
  if (!task.environment.empty()) text += "\n[environment]\n";
  for (const auto& [name, value] : task.environment)
    text += fmt::format("{} = {}\n", is_variable_name(name) ? name : quoted(name), quoted(value));
  return text;
}

}  // namespace certrebind
