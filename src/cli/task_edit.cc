#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/task_commands.h"
#include "state/wake.h"
#include "sys/editor.h"
#include "sys/guard.h"

namespace certrebind {

namespace {

struct NamedTask {
  std::string directory;
  std::string name;
  TaskFile file;
};

Result<NamedTask> named(Context& context, const std::string& name) {
  const std::string directory = context.settings().tasks_directory();
  auto file = task_file(context.host().files, directory, own_user(), name);
  if (!file) return pass(file);
  return NamedTask{.directory = directory, .name = name, .file = std::move(*file)};
}

// Writes the new text, and tells the daemon.
Done put(Context& context, const NamedTask& task, const std::string& text) {
  auto parsed = parse_task(task.file.path, text);
  if (parsed && parsed->enabled)
    if (Done can_run = check_program(context, *parsed); !can_run) return can_run;
  Done written = rewrite_task(context.host().files, task.file, task.name, text);
  if (!written) return written;
  note_change();
  wake_daemon(context.host().files, context.settings());
  return {};
}

int enable_or_disable(Context& context, const std::string& name, bool enabled) {
  auto task = named(context, name);
  if (!task) return report(task.error());
  auto parsed = parse_task(task->file.path, task->file.text);
  if (!parsed) return report(parsed.error());
  const bool changed = parsed->enabled != enabled;
  auto text = with_enabled(task->file.path, task->file.text, enabled);
  if (!text) return report(text.error());
  if (changed)
    if (Done done = put(context, *task, *text); !done) return report(done.error());
  if (context.json())
    print_json({{"task", name}, {"enabled", enabled}});
  else
    print_line(fmt::format("task {} is {}{}", name, changed ? "" : "already ",
                           enabled ? "enabled" : "disabled: its events and times pass"));
  return kDone;
}

bool wants_to_go_on() {
  std::cerr << "edit it again? [Y/n] " << std::flush;
  std::string answer;
  return std::getline(std::cin, answer) && !answer.starts_with('n') && !answer.starts_with('N');
}

// The copy that is edited. Its name makes it no task, and tells that somebody is at it.
std::string copy_of(const NamedTask& task) {
  return task.directory + "/." + task.name + ".edit.toml";
}

// Until the text is a task, or the person gives up.
Result<std::string> edited(Context& context, const NamedTask& task, const std::string& copy) {
  for (;;) {
    if (Done done = edit(copy); !done) return pass(done);
    auto text = context.host().files.read(copy, kPemLimit);
    if (!text || *text == task.file.text) return text;
    Done put_there = put(context, task, *text);
    if (put_there) return text;
    warn(put_there.error());
    if (!wants_to_go_on())
      return fail(Code::failed, "change the task", task.name, "it was given up",
                  "the task is as it was");
  }
}

int edit_task(Context& context, const std::string& name) {
  if (!stdin_is_terminal())
    return report({Code::usage, "edit", "the task", "there is no terminal to edit at",
                   "certrebind task add --replace changes a task from a script"});
  auto task = named(context, name);
  if (!task) return report(task.error());
  Files& files = context.host().files;
  const std::string copy = copy_of(*task);
  Done made = files.create(copy, task->file.text, Attributes{});
  if (!made && made.error().code == Code::exists)
    return report({Code::busy, "edit the task", name, copy + " exists: somebody edits it",
                   "if nobody does, remove that file"});
  if (!made) return report(made.error());
  auto text = edited(context, *task, copy);
  (void)files.remove(copy);
  if (!text) return report(text.error());
  const bool changed = *text != task->file.text;
  if (context.json())
    print_json({{"task", name}});
  else
    print_line(fmt::format("task {} is {}", name, changed ? "changed" : "as it was"));
  return kDone;
}

}  // namespace

CommandSpec task_enable_command() {
  return named_task_command("enable", "have a disabled task run again",
                            "Example:\n  certrebind task enable deploy",
                            [](Context& context, const std::string& name) {
                              return enable_or_disable(context, name, true);
                            });
}

CommandSpec task_disable_command() {
  return named_task_command("disable", "keep a task, but do not run it",
                            "What waits for it waits on. certrebind task remove forgets it.\n"
                            "Example:\n  certrebind task disable deploy",
                            [](Context& context, const std::string& name) {
                              return enable_or_disable(context, name, false);
                            });
}

CommandSpec task_edit_command() {
  return named_task_command(
      "edit", "change a task in your editor; checked before it counts",
      "The editor is VISUAL or EDITOR. A mistake is shown with its line, and the\n"
      "task stays as it was until there is none.\n"
      "Example:\n  certrebind task edit deploy",
      edit_task);
}

}  // namespace certrebind
