#include "sys/waiter.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "sys/system_error.h"

extern char** environ;

namespace certrebind {

namespace {

sigset_t ours() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::sigaddset(&signals, number);
  return signals;
}

Done listen_to(int epoll, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0) return {};
  return system_failure(errno, "wait for", "events");
}

// posix_spawn's two attribute objects, with their lifetime.
class SpawnSettings {
 public:
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (int output : {STDOUT_FILENO, STDERR_FILENO})
      ::posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

Result<Waiter> Waiter::create(const DirectoryWatcher& watcher) {
  sigset_t signals = ours();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  Descriptor signal_descriptor(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (signal_descriptor.get() < 0 || epoll.get() < 0)
    return system_failure(errno, "wait for", "signals");
  Done listening = listen_to(epoll.get(), signal_descriptor.get());
  if (listening && watcher.descriptor() >= 0)
    listening = listen_to(epoll.get(), watcher.descriptor());
  if (!listening) return pass(listening);
  return Waiter(std::move(epoll), std::move(signal_descriptor), watcher.descriptor());
}

Result<Wake> Waiter::wait(std::optional<milliseconds> patience) {
  int timeout = -1;
  if (patience) timeout = static_cast<int>(std::clamp<int64_t>(patience->count(), 0, INT_MAX));
  std::array<epoll_event, 4> events;
  int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout);
  if (count < 0 && errno != EINTR) return system_failure(errno, "wait for", "events");
  Wake wake;
  for (int i = 0; i < count; ++i) {
    if (events[static_cast<size_t>(i)].data.fd == watcher_) wake.changes = true;
    if (events[static_cast<size_t>(i)].data.fd == signals_.get()) take_signals(wake);
  }
  return wake;
}

void Waiter::take_signals(Wake& wake) {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) wake.stop = true;
    if (info.ssi_signo == SIGHUP) wake.rescan = true;
  }
  // Signals of one kind are merged, so every child is checked.
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;)
    wake.ended.push_back({pid, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)});
}

Result<int> Waiter::spawn(const std::vector<std::string>& arguments) {
  std::vector<char*> words;
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  SpawnSettings settings;
  pid_t pid = 0;
  int error = ::posix_spawn(&pid, words.front(), &settings.actions, &settings.attributes,
                            words.data(), environ);
  if (error != 0) return system_failure(error, "start", arguments.front());
  return pid;
}

}  // namespace certrebind
