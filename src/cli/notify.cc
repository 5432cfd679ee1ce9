#include "acts/notice.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "acts/check_report.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/notify_task.h"
#include "cli/output.h"
#include "cli/rebind_task.h"
#include "sys/web.h"

namespace certrebind {

namespace {

constexpr milliseconds kPatience = std::chrono::seconds(30);
constexpr std::string_view kMail = "mailto:";

struct NotifyOptions {
  std::string to;
  std::string sendmail = kSendmail;
  bool test = false;
};

std::string new_id(WallTime now) {
  std::random_device random;
  return fmt::format("{}-{:08x}", now.time_since_epoch().count(), random());
}

Done send_mail(const Host& host, const NotifyOptions& options, const std::vector<Attention>& told) {
  const std::string address = options.to.substr(kMail.size());
  Command command{.arguments = {options.sendmail, "-i", "-t"}, .root = {}};
  command.input = mail_text(address, printable(host_name()), told);
  auto sent = host.commands.run(command, kPatience);
  if (!sent) {
    if (sent.error().code == Code::not_found) sent.error().hint = kMailServerHint;
    return pass(sent);
  }
  if (sent->status != 0)
    return fail(Code::failed, "send mail to", printable(address),
                fmt::format("{} ended with {}: {}", options.sendmail, sent->status,
                            joined_lines(sent->output)));
  return {};
}

Done send(const Host& host, const NotifyOptions& options, const std::vector<Attention>& told) {
  if (options.to.starts_with(kMail)) return send_mail(host, options, told);
  const WallTime now = host.clock.wall();
  return post(options.to, "application/cloudevents+json",
              cloud_event(new_id(now), printable(host_name()), told, now), kPatience);
}

// What `status` lists.
Result<std::vector<Attention>> all_needed(Context& context, Database& database) {
  auto needed = attention(database);
  if (!needed) return needed;
  const WallTime now = context.host().clock.wall();
  LoadedTasks tasks =
      load_tasks(context.host().files, context.settings().tasks_directory(), own_user());
  for (const Error& error : tasks.errors)
    needed->push_back({.subject = "task",
                       .sentence = "a task is left out: " + error.message(),
                       .next = "certrebind task list",
                       .since = now});
  if (State::is_taken(context.settings())) return needed;
  auto report = make_report(context.looking(), context.history(), {});
  if (!report) return pass(report);
  needed = attention_now(context.settings(), std::move(*needed), *report,
                         rebinds_automatically(tasks), now);
  std::ranges::move(attention_of(report->interrupted), std::back_inserter(*needed));
  return needed;
}

int test(Context& context, const NotifyOptions& options) {
  const Host host = context.host();
  Done sent = send(host, options,
                   {{.subject = "test",
                     .sentence = "this is a test: nothing needs a person",
                     .next = "nothing",
                     .since = host.clock.wall()}});
  if (!sent) return std::min<int>(report(sent.error()), kDiffers);
  if (context.json())
    print_json({{"to", printable(options.to)}, {"test", true}});
  else
    print_line("a test message was sent to " + printable(options.to));
  return kDone;
}

int notify(Context& context, const NotifyOptions& options) {
  if (Done known = check_notify_address(options.to); !known) return report(known.error());
  if (options.test) return test(context, options);
  const Host host = context.host();
  auto database = State::open_beside(host.files, context.settings());
  if (!database) return report(database.error());
  auto needed = all_needed(context, *database);
  if (!needed) return report(needed.error());
  const WallTime now = host.clock.wall();
  // While another command is at work, not all is known.
  const bool is_partial = State::is_taken(context.settings());
  auto told = untold(*database, *needed, now);
  if (!told) return report(told.error());
  if (!told->empty())
    if (Done sent = send(host, options, *told); !sent)
      return std::min<int>(report(sent.error()), kDiffers);
  if (Done noted = note_told(*database, *needed, *told, is_partial, now); !noted)
    return report(noted.error());
  if (context.json()) {
    print_json({{"to", printable(options.to)}, {"test", false}, {"told", to_json(*told)}});
    return kDone;
  }
  print_line(told->empty() ? "nothing new needs a person"
                           : fmt::format("told {}: {}", printable(options.to),
                                         count_of(told->size(), "thing needs a person",
                                                  "things need a person")));
  return kDone;
}

}  // namespace

Done check_notify_address(const std::string& to) {
  const bool mail = to.starts_with(kMail) && to.find('@') != std::string::npos;
  const bool web = to.starts_with("https://") || to.starts_with("http://");
  const bool plain = to.find_first_of(" \t\r\n\"'<>") == std::string::npos;
  if (plain && (mail || web)) return {};
  return fail(Code::usage, "tell", printable(to), "it is no address for messages",
              "mailto:ops@example.com, or the https:// address of a webhook");
}

bool lacks_sendmail(const Files& files, const Task& task) {
  const auto& words = task.command;
  const bool mails =
      std::ranges::any_of(words, [](const std::string& word) { return word.starts_with(kMail); });
  const bool has_its_own = std::ranges::find(words, "--sendmail") != words.end();
  return mails && !has_its_own && !files.stat(kSendmail);
}

Task notify_task(const std::string& program, const std::string& to) {
  Task task;
  task.name = kNotifyTask;
  task.description = "somebody is told what needs a person";
  task.events = {static_cast<int>(EventId::needs_attention),
                 static_cast<int>(EventId::task_failed)};
  task.every = std::chrono::hours(6);
  task.command = {program, "notify", "--to", to};
  task.retries = 5;
  task.once_per_batch = true;
  return task;
}

CommandSpec notify_command() {
  auto options = std::make_shared<NotifyOptions>();
  return {.name = "notify",
          .summary = "tell somebody what needs a person, once and after each day",
          .options = {{.name = "--to",
                       .target = &options->to,
                       .help = "mailto:ADDRESS, or the URL of a webhook, which gets CloudEvents",
                       .type = "ADDRESS",
                       .need = Need::required},
                      {"--sendmail", &options->sendmail, "the mail program", "PROGRAM"},
                      {"--test", &options->test, "send a test message"}},
          .footer =
              "`certrebind enable --notify ADDRESS` has the daemon do this.\n"
              "Example:\n  certrebind notify --to mailto:ops@example.com --test",
          .run = [options](Context& context) { return notify(context, *options); }};
}

}  // namespace certrebind
