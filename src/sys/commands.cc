// Runs other programs: an argument vector, a deadline, the output.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <stop_token>
#include <string>

#include "base/text.h"
#include "sys/container.h"
#include "sys/descriptor.h"
#include "sys/processes.h"
#include "sys/rights.h"
#include "sys/shown_files.h"
#include "sys/system_error.h"

namespace certrebind {

namespace {

constexpr size_t kOutputLimit = 256 * 1024;
constexpr size_t kPrintedLimit = 16u << 20;  // of a program that prints what we read

// The child's settings, prepared before the fork.
struct Becoming {
  const char* root;  // null: our own
  bool from_top;     // start in "/"
  char* const* arguments;
  char* const* environment;
  int input;  // negative: /dev/null
  int output;
  bool printed_only;  // standard error goes to /dev/null
  uint32_t file_mask;
  const Rights* rights;     // null: our own
  rlim_t seconds;           // limit of processor time, for a program with another user's rights
  const ShownFiles* shown;  // null: the files on disk
};
constexpr int kNotShown = 125;  // exit status of a child that could not show its files

bool show(const ShownFiles& shown) {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 && shown.cover();
}

// Limits for the configuration test of a server that is not root's: enough for ten thousand sites,
// but bounded.
constexpr rlim_t kMostMemory = rlim_t{4} << 30, kLargestFile = rlim_t{256} << 20;

bool limit(__rlimit_resource what, rlim_t most) {
  const rlimit both{.rlim_cur = most, .rlim_max = most};
  return ::setrlimit(what, &both) == 0;
}

bool give_up_ours(const Becoming& it) {
  return limit(RLIMIT_CORE, 0) && limit(RLIMIT_AS, kMostMemory) &&
         limit(RLIMIT_FSIZE, kLargestFile) && limit(RLIMIT_CPU, it.seconds) &&
         take_for_good(*it.rights);
}

// Uses only async-signal-safe calls between fork and exec (signal-safety(7)).
[[noreturn]] void become(const Becoming& it) {
  if (it.shown != nullptr && !show(*it.shown)) ::_exit(kNotShown);
  ::setsid();  // with our terminal it could inject input into it (TIOCSTI)
  ::umask(it.file_mask);
  const int input = it.input >= 0 ? it.input : ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(input, STDIN_FILENO);
  ::dup2(it.output, STDOUT_FILENO);
  ::dup2(it.printed_only ? ::open("/dev/null", O_WRONLY | O_CLOEXEC) : it.output, STDERR_FILENO);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  if (it.root != nullptr && ::chroot(it.root) != 0) ::_exit(126);
  if (it.from_top && ::chdir("/") != 0) ::_exit(126);
  if (it.rights != nullptr && !give_up_ours(it)) ::_exit(126);
  ::execve(it.arguments[0], it.arguments, it.environment);
  ::_exit(127);
}

int status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

bool has_ended(pid_t child) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         info.si_pid != 0;
}

// The first or the last part of a program's output.
class Output {
 public:
  Output(bool keeps_end, size_t limit) : keeps_end_(keeps_end), limit_(limit) {}
  void add(const char* bytes, size_t count) {
    if (!keeps_end_) count = std::min(count, limit_ - text_.size());
    text_.append(bytes, count);
    if (text_.size() > 2 * limit_) cut();
  }
  std::string take() {
    if (text_.size() > limit_) cut();
    return std::move(text_);
  }

 private:
  void cut() { text_.erase(0, text_.size() - limit_); }
  bool keeps_end_;
  size_t limit_;
  std::string text_;
};

// False at the end of the file.
bool read_some(int pipe, Output& output) {
  char chunk[4096];
  ssize_t got = ::read(pipe, chunk, sizeof chunk);
  if (got > 0) output.add(chunk, static_cast<size_t>(got));
  return got > 0 || (got < 0 && errno == EINTR);
}

constexpr milliseconds kAfterlife(
    1000);                          // waiting time for output of processes left in the background
constexpr milliseconds kLook(200);  // interval of checks whether the program has ended
constexpr milliseconds kPause(2);   // … after it has closed its output

// Reads until the program has ended and all its background processes have closed the pipe. False at
// the deadline, and when the caller stops it.
bool attend(pid_t child, int pipe, SteadyTime deadline, const std::stop_token& unwanted,
            Output& output) {
  std::optional<SteadyTime> ended;
  bool open = true;
  while (open || !ended) {
    auto now = std::chrono::steady_clock::now();
    if (!ended && has_ended(child)) ended = now;
    if (!open && ended) break;
    if (ended && now - *ended >= kAfterlife) break;
    if (!ended && (now >= deadline || unwanted.stop_requested())) return false;
    auto left = std::chrono::ceil<milliseconds>((ended ? *ended + kAfterlife : deadline) - now);
    pollfd waiting{.fd = pipe, .events = POLLIN, .revents = 0};
    auto pause = std::min(left, open ? kLook : kPause);
    if (::poll(&waiting, open ? 1 : 0, static_cast<int>(pause.count())) > 0)
      open = read_some(pipe, output);
  }
  return true;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// A file in memory that a child reads from its begin; negative if there is nothing to read.
Result<Descriptor> input_of(const Command& command) {
  if (command.input.empty()) return Descriptor(-1);
  Descriptor file(::memfd_create("input", MFD_CLOEXEC));
  const std::string& text = command.input;
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::lseek(file.get(), 0, SEEK_SET) != 0)
    return system_failure(errno, "run", command.text());
  return file;
}

Result<CommandOutput> execute(const Command& command, milliseconds deadline,
                              const std::stop_token& unwanted) {
  // Its programs are not ours, and outside of it they would have more rights.
  if (process_of_container(command.root))
    return fail(Code::denied, "run", command.text(), "it is a program of a container");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_failure(errno, "run", command.text());
  Descriptor reading(ends[0]), writing(ends[1]);
  auto input = input_of(command);
  if (!input) return pass(input);
  auto shown = ShownFiles::prepare(command.shown);
  if (!shown) return pass(shown);
  std::vector<char*> arguments = pointers_to(command.arguments);
  bool is_foreign = command.environment.has_value();
  bool has_root = !command.root.empty() && command.root != "/";
  bool has_rights = command.user != 0 && command.user != own_user();
  const std::vector<std::string> variables = command.environment.value_or(
      std::vector<std::string>(std::begin(kPlainEnvironment), std::end(kPlainEnvironment)));
  std::vector<char*> environment = pointers_to(variables);
  const Rights rights = has_rights ? rights_of(command.user) : Rights{};
  Becoming becoming{
      .root = has_root ? command.root.c_str() : nullptr,
      .from_top = has_root || is_foreign || has_rights,
      .arguments = arguments.data(),
      .environment = is_foreign || has_rights ? environment.data() : environ,
      .input = input->get(),
      .output = ends[1],
      .printed_only = command.printed_only,
      .file_mask = is_foreign ? 0022 : command.file_mask,
      .rights = has_rights ? &rights : nullptr,
      .seconds = static_cast<rlim_t>(std::chrono::ceil<std::chrono::seconds>(deadline).count() + 1),
      .shown = shown->empty() ? nullptr : &*shown};
  auto begun = std::chrono::steady_clock::now();
  pid_t child = ::fork();
  if (child < 0) return system_failure(errno, "run", command.text());
  if (child == 0) become(becoming);
  writing.reset();
  Output output(is_foreign, command.printed_only ? kPrintedLimit : kOutputLimit);
  CommandOutput result;
  result.timed_out = !attend(child, reading.get(), begun + deadline, unwanted, output);
  if (result.timed_out) {
    ::kill(-child, SIGKILL);
    ::kill(child, SIGKILL);  // a child that has no process group of its own yet
  }
  int wait_status = 0;
  while (::waitpid(child, &wait_status, 0) < 0 && errno == EINTR) {
  }
  result.output = output.take();
  result.took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun);
  if (result.timed_out && !is_foreign)
    return fail(Code::timed_out, "run", command.text(),
                "it did not end within " + std::to_string(deadline.count()) + " ms");
  result.status = status_of(wait_status);
  if (result.status == 127 && result.output.empty())
    return fail(Code::not_found, "run", command.text(), "the program cannot be started");
  if (result.status == kNotShown && result.output.empty() && !shown->empty())
    return fail(Code::unsupported, "run", command.text(),
                "this host or user may not make a mount namespace");
  return result;
}

}  // namespace

std::string Command::text() const {
  std::string line = root.empty() || root == "/" ? "" : "chroot " + shell_quoted(root) + " ";
  std::vector<std::string> words;
  for (const std::string& argument : arguments) words.push_back(shell_quoted(argument));
  return line + join(words, " ");
}

Result<CommandOutput> SystemCommands::run(const Command& command, milliseconds deadline) {
  return execute(command, deadline, {});
}

RunningCommand SystemCommands::start(const Command& command, milliseconds deadline) {
  std::promise<Result<CommandOutput>> told;
  std::shared_future outcome = told.get_future();
  std::jthread minder(
      [command, deadline, telling = std::move(told)](const std::stop_token& unwanted) mutable {
        telling.set_value(execute(command, deadline, unwanted));
      });
  return {std::move(outcome), std::move(minder)};
}

}  // namespace certrebind
