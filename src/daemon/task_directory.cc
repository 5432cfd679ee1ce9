#include "daemon/task_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "sys/safe_way.h"

namespace certrebind {

namespace {

constexpr uint32_t kOthersMayWrite = 0022;
constexpr const char* kEnding = ".toml";

// `path` must have no links left in it.
Done must_be_ours(const Files& files, const std::string& path, uint32_t user) {
  auto info = files.lstat(path);
  if (!info) return pass(info);
  if (info->owner != 0 && info->owner != user)
    return fail(Code::denied, "trust", path,
                fmt::format("it belongs to user {}, and its commands would run as user {}",
                            info->owner, user),
                "chown root " + shell_quoted(path));
  if ((info->mode & kOthersMayWrite) != 0)
    return fail(Code::denied, "trust", path,
                fmt::format("others than its owner may write it (mode {:04o})", info->mode),
                "chmod go-w " + shell_quoted(path));
  return {};
}

Result<std::string> read_trusted(const Files& files, const std::string& path, uint32_t user) {
  // Otherwise another user could redirect us to a different file of root's.
  if (user == 0)
    if (Done safe = SafeWay(files, user).to(path); !safe) return pass(safe);
  auto real = files.real_path(path);
  if (!real) return pass(real);
  for (const std::string& part : {parent_directory(*real), *real})
    if (Done ours = must_be_ours(files, part, user); !ours) return pass(ours);
  return files.read(*real, kPemLimit);
}

bool is_task_file(const std::string& name) {
  return name.ends_with(kEnding) && !name.starts_with('.');
}

// Tasks with the files that define them.
struct Loading {
  LoadedTasks loaded;
  std::map<std::string, std::string> file_of;  // by task name

  void add(const Files& files, const std::string& path, uint32_t user) {
    auto text = read_trusted(files, path, user);
    if (!text) return loaded.errors.push_back(text.error());
    auto task = parse_task(path, *text);
    if (!task) return loaded.errors.push_back(task.error());
    auto [other, is_new] = file_of.emplace(task->name, path);
    if (is_new) return loaded.tasks.push_back(std::move(*task));
    loaded.errors.push_back({Code::exists, "use", path,
                             fmt::format("{} has a task '{}' already", other->second, task->name),
                             "give one of them another name"});
  }
};

Loading load_all(const Files& files, const std::string& directory, uint32_t user) {
  Loading loading;
  auto real = files.real_path(directory);
  if (!real && real.error().code == Code::not_found) return loading;
  Done ours = real ? must_be_ours(files, *real, user) : pass(real);
  auto names = ours ? files.list(*real) : pass(ours);
  if (!names) {
    loading.loaded.errors.push_back(names.error());
    return loading;
  }
  for (const std::string& name : *names)
    if (is_task_file(name)) loading.add(files, directory + "/" + name, user);
  return loading;
}

Done ensure_directory(Files& files, const std::string& directory) {
  if (files.stat(directory)) return {};
  std::string parent = parent_directory(directory);
  if (parent != directory)
    if (Done made = ensure_directory(files, parent); !made) return made;
  if (Done made = files.make_directory(directory, 0755); !made) return made;
  return files.sync({parent});
}

std::unexpected<Error> exists_already(const std::string& name, const std::string& where) {
  return fail(Code::exists, "add the task", name, where + " exists already",
              fmt::format("certrebind task show {} shows it; --replace replaces it", name));
}

// The file that has the task, or would have it if it could be read.
Result<std::string> path_of(const Files& files, const std::string& directory, uint32_t user,
                            const std::string& name) {
  Loading present = load_all(files, directory, user);
  auto known = present.file_of.find(name);
  std::string path =
      known != present.file_of.end() ? known->second : directory + "/" + name + kEnding;
  if (!is_task_name(name) || !files.lstat(path)) return fail(present.loaded.no_such_task(name));
  return path;
}

}  // namespace

const Task* LoadedTasks::find(const std::string& name) const {
  auto found = std::ranges::find(tasks, name, &Task::name);
  return found == tasks.end() ? nullptr : &*found;
}

Error LoadedTasks::no_such_task(const std::string& name) const {
  std::vector<std::string> names;
  for (const Task& task : tasks) names.push_back(task.name);
  const std::string meant = closest_to(name, names);
  return {
      Code::not_found, "find the task", printable(name), "there is none of that name",
      (meant.empty() ? "" : "did you mean " + meant + "? ") + "certrebind task list shows them"};
}

LoadedTasks load_tasks(const Files& files, const std::string& directory, uint32_t user) {
  return load_all(files, directory, user).loaded;
}

Done add_task(Files& files, const std::string& directory, uint32_t user, const Task& task) {
  std::string path = directory + "/" + task.name + kEnding, text = to_toml(task);
  auto same = parse_task(path, text);
  if (!same) return pass(same);
  if (Done made = ensure_directory(files, directory); !made) return made;
  Loading present = load_all(files, directory, user);
  auto other = present.file_of.find(task.name);
  if (other != present.file_of.end()) return exists_already(task.name, other->second);
  auto real = files.real_path(directory);
  if (!real) return pass(real);
  if (Done ours = must_be_ours(files, *real, user); !ours) return ours;
  // Written under another name first, so that readers see all or nothing: the daemon reads only
  // names that end in .toml.
  std::string unfinished = directory + "/." + task.name + ".new";
  (void)files.remove(unfinished);  // left by a crash
  Attributes attributes;
  attributes.mode = task.environment.empty() ? 0644 : 0600;  // variables are often secrets
  if (Done made = files.create(unfinished, text, attributes); !made) return made;
  Done done = files.sync({unfinished});
  if (done) done = files.link(unfinished, path);  // unlike rename, link replaces nothing
  (void)files.remove(unfinished);
  if (!done && done.error().code == Code::exists) return exists_already(task.name, path);
  if (!done) return done;
  return files.sync({directory});
}

Result<TaskFile> task_file(const Files& files, const std::string& directory, uint32_t user,
                           const std::string& name) {
  auto path = path_of(files, directory, user, name);
  if (!path) return pass(path);
  auto text = read_trusted(files, *path, user);
  if (!text) return pass(text);
  auto real = files.real_path(*path);
  if (!real) return pass(real);
  return TaskFile{.path = std::move(*real), .text = std::move(*text)};
}

Done rewrite_task(Files& files, const TaskFile& was, const std::string& name,
                  const std::string& text) {
  auto task = parse_task(was.path, text);
  if (!task) return pass(task);
  if (task->name != name)
    return fail(Code::usage, "change the task", name,
                fmt::format("its name would be {}", printable(task->name)),
                "a task with another name is another task: certrebind task add");
  auto attributes = files.attributes(was.path);
  if (!attributes) return pass(attributes);
  auto now = files.read(was.path, kPemLimit);
  if (!now) return pass(now);
  if (*now != was.text)
    return fail(Code::failed, "change", was.path, "somebody else has changed it meanwhile",
                "do it again");
  std::string unfinished = parent_directory(was.path) + "/." + name + ".new";
  (void)files.remove(unfinished);  // left by a crash
  Done done = files.create(unfinished, text, *attributes);
  if (done) done = files.sync({unfinished});
  if (done) done = files.rename(unfinished, was.path);
  if (!done) (void)files.remove(unfinished);
  if (!done) return done;
  return files.sync({parent_directory(was.path)});
}

Done remove_task(Files& files, const std::string& directory, uint32_t user,
                 const std::string& name) {
  auto path = path_of(files, directory, user, name);
  if (!path) return pass(path);
  if (Done removed = files.remove(*path); !removed) return removed;
  return files.sync({directory});
}

}  // namespace certrebind
