// Running other programs: an argument vector, a deadline, the output.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "sys/descriptor.h"
#include "sys/processes.h"
#include "sys/system_error.h"

namespace certrebind {

namespace {

constexpr size_t kOutputLimit = 256 * 1024;

bool needs_quotes(const std::string& word) {
  if (word.empty()) return true;
  for (char c : word) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 std::string_view("/._-+=:,@%").find(c) != std::string_view::npos;
    if (!plain) return true;
  }
  return false;
}

std::string shell_quoted(const std::string& word) {
  if (!needs_quotes(word)) return word;
  std::string quoted = "'";
  for (char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// Between fork and exec only async-signal-safe calls (signal-safety(7)).
[[noreturn]] void become(const char* root, char* const* arguments, int output, uint32_t file_mask) {
  ::setpgid(0, 0);
  ::umask(file_mask);
  int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  // Every other descriptor of ours is O_CLOEXEC.
  if (root != nullptr && (::chroot(root) != 0 || ::chdir("/") != 0)) ::_exit(126);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

int status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

// Reads until the child and all it left closed the pipe. False at the deadline.
bool gather(int pipe, SteadyTime deadline, std::string& output) {
  while (true) {
    auto left =
        std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{.fd = pipe, .events = POLLIN, .revents = 0};
    int ready = ::poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left.count(), 60'000)));
    if (ready < 0 && errno != EINTR) return true;
    if (ready <= 0) continue;
    char chunk[4096];
    ssize_t got = ::read(pipe, chunk, sizeof chunk);
    if (got == 0) return true;
    if (got < 0 && errno != EINTR) return true;
    size_t room = kOutputLimit - output.size();
    if (got > 0) output.append(chunk, std::min(room, static_cast<size_t>(got)));
  }
}

std::vector<char*> argument_pointers(const std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments)
    pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

std::string Command::text() const {
  std::string line = root.empty() || root == "/" ? "" : "chroot " + shell_quoted(root) + " ";
  std::vector<std::string> words;
  for (const std::string& argument : arguments) words.push_back(shell_quoted(argument));
  return line + join(words, " ");
}

Result<CommandOutput> SystemCommands::run(const Command& command, milliseconds deadline) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_failure(errno, "run", command.text());
  Descriptor reading(ends[0]), writing(ends[1]);
  std::vector<char*> arguments = argument_pointers(command.arguments);
  const char* root = command.root.empty() || command.root == "/" ? nullptr : command.root.c_str();
  auto begun = std::chrono::steady_clock::now();
  pid_t child = ::fork();
  if (child < 0) return system_failure(errno, "run", command.text());
  if (child == 0) become(root, arguments.data(), ends[1], command.file_mask);
  writing.reset();
  CommandOutput result;
  bool finished = gather(reading.get(), begun + deadline, result.output);
  if (!finished) ::kill(-child, SIGKILL);
  int wait_status = 0;
  while (::waitpid(child, &wait_status, 0) < 0 && errno == EINTR) {
  }
  result.took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun);
  if (!finished)
    return fail(Code::timed_out, "run", command.text(),
                "it did not end within " + std::to_string(deadline.count()) + " ms");
  result.status = status_of(wait_status);
  if (result.status == 127 && result.output.empty())
    return fail(Code::not_found, "run", command.text(), "the program cannot be started");
  return result;
}

}  // namespace certrebind
