// Runs a trial start of a server in isolation (namespaces(7)), to find out whether it comes up. The
// server sees the files of this host. But its changes to the given directories are discarded, and
// it reaches neither the network nor other processes.
//
// Steps:
//
//   1. `prepare` computes all data for the child (Stage), because only system calls are allowed
//      after the fork.
//   2. A child enters new namespaces. Its own child is the first process there (`mind`).
//   3. `mind` mounts /proc, covers the given directories with overlays and masks the given files.
//   4. It starts the server and watches it until it is ready, has ended, or takes too long.
//   5. It sends a report through a pipe and ends the server. The end of the pid namespace ends all
//      remaining processes.
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "sys/descriptor.h"
#include "sys/processes.h"
#include "sys/shown_files.h"
#include "sys/system_error.h"

namespace certrebind {

namespace {

constexpr size_t kSaidLimit = 256 * 1024;
constexpr int kEndsAfterMs = 5'000;  // between the request to end and SIGKILL
constexpr int kLookMs = 5;

// The outcome, as the supervising process reports it.
struct Report {
  enum Kind : int { came_up, ended, impossible, too_slow };
  Kind kind = impossible;
  int status = 0;      // from waitpid(2), or an errno
  char step[64] = {};  // the step that was impossible
};

// A directory under an overlay: its own content below, changes above.
struct Overlay {
  std::string directory, layer, upper, work, options;
  uint32_t owner = 0, group = 0, mode = 0;
};

// All data for the child, prepared before the fork. After the fork only system calls are made
// (signal-safety(7)).
struct Stage {
  std::string scratch, said, ready, proc, scratch_options;
  std::vector<Overlay> overlays;
  std::vector<std::string> masked;
  ShownFiles shown;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::vector<char*> argv, envp;
  std::string uid_map, gid_map;  // empty for root, which needs none
  int output = -1;
  int report = -1;
  int64_t deadline_ms = 0;
  int64_t settle_ms = 0;
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

void pause_ms(int milliseconds) {
  timespec time{milliseconds / 1000, (milliseconds % 1000) * 1'000'000L};
  ::nanosleep(&time, nullptr);
}

void tell(const Stage& stage, const Report& report) {
  [[maybe_unused]] ssize_t told = ::write(stage.report, &report, sizeof report);
}

[[noreturn]] void give_up(const Stage& stage, const char* step) {
  Report report{Report::impossible, errno, {}};
  ::strncpy(report.step, step, sizeof report.step - 1);
  tell(stage, report);
  ::_exit(1);
}

bool put(const char* path, const char* text) {
  int file = ::open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  bool done = ::write(file, text, ::strlen(text)) >= 0;
  ::close(file);
  return done;
}

// Brings up loopback, and allows to bind any address, because the server's addresses do not exist
// here.
void open_network() {
  int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  ::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  ::ioctl(socket, SIOCSIFFLAGS, &request);
  ::close(socket);
  put("/proc/sys/net/ipv4/ip_nonlocal_bind", "1");
  put("/proc/sys/net/ipv6/ip_nonlocal_bind", "1");
  put("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
}

void map_user(const Stage& stage) {
  if (stage.uid_map.empty()) return;
  // This program forbids inspection, and the kernel then gives its /proc entries to root.
  ::prctl(PR_SET_DUMPABLE, 1);
  put("/proc/self/setgroups", "deny");
  if (!put("/proc/self/uid_map", stage.uid_map.c_str())) give_up(stage, "map the user");
  if (!put("/proc/self/gid_map", stage.gid_map.c_str())) give_up(stage, "map the group");
  ::prctl(PR_SET_DUMPABLE, 0);
}

void cover(const Stage& stage, const Overlay& overlay) {
  if (::mkdir(overlay.layer.c_str(), 0700) != 0 || ::mkdir(overlay.upper.c_str(), 0700) != 0 ||
      ::mkdir(overlay.work.c_str(), 0700) != 0 ||
      ::chown(overlay.upper.c_str(), overlay.owner, overlay.group) != 0 ||
      ::chmod(overlay.upper.c_str(), overlay.mode) != 0 ||
      ::mount("overlay", overlay.directory.c_str(), "overlay", 0, overlay.options.c_str()) != 0)
    give_up(stage, "cover a directory");
}

void mask(const Stage& stage) {
  int said = ::open(stage.said.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (said < 0) give_up(stage, "make a file");
  ::fchmod(said, 0666);
  ::close(said);
  for (const std::string& path : stage.masked)
    if (::mount(stage.said.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0)
      give_up(stage, "mask a file");
}

void set_apart(const Stage& stage) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    give_up(stage, "part with the mounts");
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
    give_up(stage, "mount /proc");
  open_network();
  if (::mount("tmpfs", stage.scratch.c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
              stage.scratch_options.c_str()) != 0)
    give_up(stage, "mount a file system in memory");
  for (const Overlay& overlay : stage.overlays) cover(stage, overlay);
  if (!stage.shown.empty() && !stage.shown.cover()) give_up(stage, "show the new files");
  mask(stage);
}

[[noreturn]] void become_server(const Stage& stage) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::umask(0022);
  int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(stage.output, STDOUT_FILENO);
  ::dup2(stage.output, STDERR_FILENO);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  if (::chdir("/") == 0) ::execve(stage.argv[0], stage.argv.data(), stage.envp.data());
  ::_exit(127);
}

bool is_there(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

// Watches until the server is ready and has stayed alive for a moment, has ended, or takes too
// long.
Report watch(const Stage& stage, pid_t server) {
  int64_t ready_since = -1;
  while (true) {
    int status = 0;
    if (::waitpid(server, &status, WNOHANG) == server) return {Report::ended, status, {}};
    int64_t now = now_ms();
    if (ready_since < 0 && is_there(stage.ready)) ready_since = now;
    if (ready_since >= 0 && now - ready_since >= stage.settle_ms) return {Report::came_up, 0, {}};
    if (now >= stage.deadline_ms) return {Report::too_slow, 0, {}};
    pause_ms(kLookMs);
  }
}

// First asks the server to end, so that it removes what it created outside. Then the end of the
// namespace kills the rest.
void end_server(pid_t server) {
  ::kill(server, SIGTERM);
  for (int waited = 0; waited < kEndsAfterMs; waited += kLookMs) {
    if (::waitpid(server, nullptr, WNOHANG) != 0) return;
    pause_ms(kLookMs);
  }
}

void repeat_said(const Stage& stage) {
  int said = ::open(stage.said.c_str(), O_RDONLY | O_CLOEXEC);
  char chunk[4096];
  for (ssize_t got = 0; said >= 0 && (got = ::read(said, chunk, sizeof chunk)) > 0;) {
    [[maybe_unused]] ssize_t put = ::write(stage.output, chunk, static_cast<size_t>(got));
  }
}

// The first process of the new pid namespace: when it ends, all others there end.
[[noreturn]] void mind(const Stage& stage) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  set_apart(stage);
  pid_t server = ::fork();
  if (server < 0) give_up(stage, "start it");
  if (server == 0) become_server(stage);
  Report report = watch(stage, server);
  // A server that came up has nothing more to report, and needs a while to free its memory.
  if (report.kind == Report::came_up) tell(stage, report);
  if (report.kind != Report::ended) end_server(server);
  if (report.kind == Report::came_up) ::_exit(0);
  repeat_said(stage);
  tell(stage, report);
  ::_exit(0);
}

// Closes other descriptors, such as the pipes of other commands. Otherwise they would stay open as
// long as this runs.
void close_all_else(const Stage& stage) {
  auto close_between = [](unsigned first, unsigned last) {
    first = std::max(first, 3U);
    if (first <= last) ::close_range(first, last, 0);
  };
  auto [low, high] = std::minmax({unsigned(stage.output), unsigned(stage.report)});
  if (low > 0) close_between(0, low - 1);
  close_between(low + 1, high - 1);
  close_between(high + 1, ~0U);
}

[[noreturn]] void part(const Stage& stage) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  close_all_else(stage);
  ::setpgid(0, 0);
  int apart = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC;
  if (!stage.uid_map.empty()) apart |= CLONE_NEWUSER;
  if (::unshare(apart) != 0) give_up(stage, "make namespaces");
  map_user(stage);
  pid_t first = ::fork();
  if (first < 0) give_up(stage, "start it");
  if (first == 0) mind(stage);
  ::close(stage.output);
  while (::waitpid(first, nullptr, 0) < 0 && errno == EINTR) {
  }
  ::_exit(0);
}

// A temporary directory for the run, whose content is in memory.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    const char* base = std::getenv("TMPDIR");
    path_ = fmt::format("{}/certrebind-rehearsal-XXXXXX", base != nullptr ? base : "/tmp");
    if (::mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~ScratchDirectory() {
    if (!path_.empty()) ::rmdir(path_.c_str());
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string with_scratch(std::string text, const std::string& scratch) {
  constexpr std::string_view kMark = kScratch;
  for (size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at))
    text.replace(at, kMark.size(), scratch);
  return text;
}

// Outer directories first. A directory within another one is covered with it.
Done add_overlays(std::vector<std::string> directories, Stage& stage) {
  std::ranges::sort(directories);
  std::string outer;
  for (const std::string& directory : directories) {
    if (!outer.empty() && is_within(directory, outer)) continue;
    outer = directory;
    struct stat info {};
    if (::stat(directory.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) continue;
    if (directory.find_first_of(",:\\") != std::string::npos)
      return fail(Code::unsupported, "cover", directory, "its name cannot be mounted");
    Overlay overlay{.directory = directory, .layer = {}, .upper = {}, .work = {}, .options = {}};
    overlay.layer = fmt::format("{}/.layer-{}", stage.scratch, stage.overlays.size());
    overlay.upper = overlay.layer + "/upper";
    overlay.work = overlay.layer + "/work";
    overlay.options =
        fmt::format("lowerdir={},upperdir={},workdir={}", directory, overlay.upper, overlay.work);
    overlay.owner = info.st_uid;
    overlay.group = info.st_gid;
    overlay.mode = info.st_mode & 07777;
    stage.overlays.push_back(std::move(overlay));
  }
  return {};
}

Result<Stage> prepare(const Rehearsal& rehearsal, const std::string& scratch) {
  Stage stage;
  stage.scratch = scratch;
  stage.scratch_options = "mode=0755,size=64m";
  stage.said = fmt::format("{}/{}", scratch, kSaid);
  stage.ready = fmt::format("{}/{}", scratch, rehearsal.ready);
  stage.masked = rehearsal.masked;
  auto shown = ShownFiles::prepare(rehearsal.command.shown);
  if (!shown) return pass(shown);
  stage.shown = std::move(*shown);
  for (const std::string& argument : rehearsal.command.arguments)
    stage.arguments.push_back(with_scratch(argument, scratch));
  stage.environment = rehearsal.command.environment.value_or(std::vector<std::string>());
  if (::geteuid() != 0) {
    stage.uid_map = fmt::format("{0} {0} 1", ::geteuid());
    stage.gid_map = fmt::format("{0} {0} 1", ::getegid());
  }
  if (Done added = add_overlays(rehearsal.forgotten, stage); !added) return pass(added);
  return stage;
}

// Reads available output. False at the end, when the last process with the pipe has gone.
bool listen(int pipe, std::string& output) {
  char chunk[4096];
  ssize_t got = ::read(pipe, chunk, sizeof chunk);
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  output.append(chunk, static_cast<size_t>(got));
  if (output.size() > 2 * kSaidLimit) output.erase(0, output.size() - kSaidLimit);
  return true;
}

// Reads output until the report arrives, or the end.
void await_report(int output, int report, std::string& said) {
  while (true) {
    pollfd entries[] = {{.fd = output, .events = POLLIN, .revents = 0},
                        {.fd = report, .events = POLLIN, .revents = 0}};
    if (::poll(entries, 2, -1) < 0 && errno != EINTR) return;
    if (entries[1].revents != 0) return;
    if (entries[0].revents != 0 && !listen(output, said)) return;
  }
}

RehearsalOutput as_output(const Report& report, std::string said, milliseconds took) {
  RehearsalOutput output;
  output.of.took = took;
  if (said.size() > kSaidLimit) said.erase(0, said.size() - kSaidLimit);
  output.of.output = std::move(said);
  output.came_up = report.kind == Report::came_up;
  output.of.timed_out = report.kind == Report::too_slow;
  if (report.kind == Report::ended)
    output.of.status =
        WIFSIGNALED(report.status) ? 128 + WTERMSIG(report.status) : WEXITSTATUS(report.status);
  if (report.kind == Report::impossible)
    output.impossible = fmt::format("cannot {}: {}", report.step, ::strerror(report.status));
  return output;
}

struct Pipe {
  Descriptor reading, writing;
};

Result<Pipe> make_pipe(const std::string& line) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_failure(errno, "run", line);
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// One rehearsal. All of it runs in one thread, because the child ends with the thread that forked
// it (PR_SET_PDEATHSIG, prctl(2)).
class Run {
 public:
  explicit Run(const Rehearsal& rehearsal) : line_(rehearsal.command.text()) {}

  // Waits until the outcome is known.
  Result<RehearsalOutput> outcome(const Rehearsal& rehearsal, milliseconds deadline) {
    if (scratch_.path().empty()) return system_failure(errno, "make a directory for", line_);
    auto stage = prepare(rehearsal, scratch_.path());
    if (!stage)
      return RehearsalOutput{.impossible = stage.error().message(), .came_up = false, .of = {}};
    auto output = make_pipe(line_), report = make_pipe(line_);
    if (!output) return pass(output);
    if (!report) return pass(report);
    output_ = std::move(output->reading);
    int64_t begun = now_ms();
    stage->deadline_ms = begun + deadline.count();
    stage->settle_ms = rehearsal.settle.count();
    if (Done started = start(*stage, std::move(output->writing), std::move(report->writing));
        !started)
      return pass(started);
    std::string said;
    await_report(output_.get(), report->reading.get(), said);
    Report told;
    bool is_told =
        ::read(report->reading.get(), &told, sizeof told) == static_cast<ssize_t>(sizeof told);
    milliseconds took(now_ms() - begun);
    // How a server ends that came up does not matter.
    if (!is_told || told.kind != Report::came_up) await_end(said);
    if (!is_told) return fail(Code::failed, "rehearse", line_, "it was ended from outside");
    return as_output(told, std::move(said), took);
  }

  // Waits until none of its processes is left.
  ~Run() {
    std::string rest;
    await_end(rest);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

 private:
  Done start(Stage& stage, Descriptor output, Descriptor report) {
    stage.argv = pointers_to(stage.arguments);
    stage.envp = pointers_to(stage.environment);
    stage.output = output.get();
    stage.report = report.get();
    child_ = ::fork();
    if (child_ < 0) return system_failure(errno, "run", line_);
    if (child_ == 0) part(stage);
    return {};
  }

  void await_end(std::string& said) {
    if (child_ < 0) return;
    while (listen(output_.get(), said)) {
    }
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
  }

  std::string line_;
  ScratchDirectory scratch_;
  Descriptor output_{-1};
  pid_t child_ = -1;
};

}  // namespace

RunningRehearsal SystemCommands::rehearse(const Rehearsal& rehearsal, milliseconds deadline) {
  std::promise<Result<RehearsalOutput>> told;
  auto outcome = told.get_future();
  std::jthread minder([rehearsal, deadline, telling = std::move(told)]() mutable {
    Run run(rehearsal);
    telling.set_value(run.outcome(rehearsal, deadline));
  });
  return {std::move(outcome), std::move(minder)};
}

}  // namespace certrebind
