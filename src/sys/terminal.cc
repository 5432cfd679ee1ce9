#include "sys/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/number.h"
#include "base/text.h"
#include "sys/descriptor.h"
#include "sys/processes.h"
#include "sys/rights.h"

namespace certrebind {

namespace {

constexpr const char* kLess = "/usr/bin/less";

// The user who logged in, whatever was started with other rights since.
std::optional<uint32_t> login_user() {
  Descriptor file(::open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC));
  std::array<char, 32> text{};
  const ssize_t length = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (length <= 0) return std::nullopt;
  auto user = whole_number<uint32_t>(trim({text.data(), static_cast<size_t>(length)}));
  return user && *user != static_cast<uint32_t>(-1) ? user : std::nullopt;
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// A pager's command, environment and rights, made before the fork.
struct Pager {
  std::vector<std::string> command, environment;
  std::optional<Rights> rights;  // unset: our own
};

// What a pager needs to know of the terminal. Nothing else of the environment reaches one that runs
// with other rights: it may have been meant for ours.
std::vector<std::string> terminal_environment() {
  std::vector<std::string> environment;
  for (const char* name : {"TERM", "LANG", "LC_ALL", "LC_CTYPE", "COLUMNS", "LINES"})
    if (is_set(name)) environment.push_back(std::string(name) + "=" + std::getenv(name));
  return environment;
}

// Nothing for an empty PAGER, or `cat`: both mean none.
Pager own_pager() {
  Pager pager;
  for (char** each = environ; *each != nullptr; ++each) pager.environment.emplace_back(*each);
  if (!is_set("LESS")) pager.environment.emplace_back("LESS=FRX");
  const char* wanted = std::getenv("PAGER");
  if (wanted == nullptr) return pager.command = {kLess}, pager;
  for (std::string& word : split(trim(wanted), ' '))
    if (!word.empty()) pager.command.push_back(std::move(word));
  if (pager.command == std::vector<std::string>{"cat"}) pager.command.clear();
  return pager;
}

Pager pager_of(std::optional<uint32_t> other) {
  if (!other) return own_pager();
  Pager pager{.command = {kLess}, .environment = terminal_environment(), .rights = {}};
  for (const char* set : {"LESSSECURE=1", "LESSHISTFILE=-", "LESS=FRX", "PATH=/usr/bin:/bin"})
    pager.environment.emplace_back(set);
  pager.rights = rights_of(*other);
  return pager;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// Uses only async-signal-safe calls (signal-safety(7)).
[[noreturn]] void become_pager(int input, char* const* command, char* const* environment,
                               const Rights* rights) {
  ::signal(SIGPIPE, SIG_DFL);
  const bool ready = ::dup2(input, STDIN_FILENO) >= 0 &&
                     ::close_range(STDERR_FILENO + 1, ~0U, 0) == 0 &&
                     (rights == nullptr || take_for_good(*rights));
  if (ready) ::execvpe(command[0], command, environment);
  ::_exit(127);
}

void write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(to, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // the reader has seen enough
    text.remove_prefix(static_cast<size_t>(written));
  }
}

int status_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return status;
}

}  // namespace

std::optional<TerminalSize> terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return TerminalSize{.columns = size.ws_col, .rows = size.ws_row};
}

std::optional<uint32_t> other_caller() {
  const uint32_t own = own_user();
  if (is_set("SUDO_UID")) {
    // An unreadable number is nobody's.
    const uint32_t typed = whole_number<uint32_t>(trim(std::getenv("SUDO_UID"))).value_or(65534);
    if (typed != own) return typed;
  }
  if (::getuid() != own) return ::getuid();
  auto login = login_user();
  return login && *login != own ? login : std::nullopt;
}

bool show_in_pager(const std::string& text) {
  const std::optional<uint32_t> other = other_caller();
  // Another user's rights can be taken by root only.
  if (other && own_user() != 0) return false;
  Pager pager = pager_of(other);
  std::array<int, 2> ends{};
  if (pager.command.empty() || ::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  Descriptor reading(ends[0]), writing(ends[1]);
  const std::vector<char*> command = pointers(pager.command);
  const std::vector<char*> environment = pointers(pager.environment);
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0)
    become_pager(reading.get(), command.data(), environment.data(),
                 pager.rights ? &*pager.rights : nullptr);
  // The keys that end a program are the pager's now.
  auto* interrupt = std::signal(SIGINT, SIG_IGN);
  auto* quit = std::signal(SIGQUIT, SIG_IGN);
  reading.reset();
  write_all(writing.get(), text);
  writing.reset();
  const int status = status_of(child);
  std::signal(SIGINT, interrupt);
  std::signal(SIGQUIT, quit);
  return !(WIFEXITED(status) && WEXITSTATUS(status) == 127);
}

}  // namespace certrebind
