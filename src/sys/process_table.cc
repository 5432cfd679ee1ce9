// The process table from /proc (proc(5)).
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "base/number.h"
#include "base/text.h"
#include "sys/clock.h"
#include "sys/container.h"
#include "sys/descriptor.h"
#include "sys/disk.h"
#include "sys/proc_files.h"
#include "sys/processes.h"
#include "sys/rights.h"
#include "sys/system_error.h"

namespace certrebind {

namespace {

struct Stat {
  std::string name;
  char state = '?';
  int parent = 0;
  uint64_t started = 0;
};

// "PID (NAME) STATE PPID …". NAME may contain spaces and parentheses, so the last ')' ends it.
bool read_stat(int pid, Stat& stat) {
  std::string text = read_or_empty(proc(pid, "stat"));
  size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 2 > text.size())
    return false;
  stat.name = text.substr(open + 1, close - open - 1);
  std::vector<std::string> fields = split(trim(text.substr(close + 2)), ' ');
  constexpr size_t kStarted = 19;  // field 22 of proc(5), counted after the name
  if (fields.size() <= kStarted) return false;
  stat.state = fields[0][0];
  stat.parent = std::atoi(fields[1].c_str());
  stat.started = std::strtoull(fields[kStarted].c_str(), nullptr, 10);
  return true;
}

std::vector<std::string> arguments_of(int pid) {
  std::string text = read_or_empty(proc(pid, "cmdline"));
  while (!text.empty() && text.back() == '\0') text.pop_back();
  if (text.empty()) return {};
  return split(text, '\0');
}

constexpr uint32_t kNobody = 65534;

// The four user ids of proc(5): real, effective, saved, file system. The owner of /proc/PID is no
// substitute: it is root for every process that forbids inspection (PR_SET_DUMPABLE). If the ids
// cannot be read, the user is nobody.
std::array<uint32_t, 4> users_of(int pid) {
  std::array<uint32_t, 4> users{kNobody, kNobody, kNobody, kNobody};
  std::string status = read_or_empty(proc(pid, "status"));
  constexpr std::string_view kUsers = "\nUid:";
  size_t line = status.find(kUsers);
  if (line == std::string::npos) return users;
  const char* at = status.c_str() + line + kUsers.size();
  for (uint32_t& user : users) {
    char* end = nullptr;
    user = static_cast<uint32_t>(std::strtoul(at, &end, 10));
    at = end;
  }
  return users;
}

uint32_t owner_among(const std::array<uint32_t, 4>& users) {
  auto not_root = std::ranges::find_if(users, [](uint32_t user) { return user != 0; });
  return not_root == users.end() ? 0 : *not_root;
}

// An upgrade replaced the executable on disk. A reload would run the file that is now at the path.
std::string without_deleted(std::string path) {
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  return path;
}

// A private mount namespace alone does not mean a container: systemd creates one for every unit
// with PrivateTmp. Paths mean other files only if the root directory is not the one of ours that
// has its name. A container's process is one of a container all the same if it has changed its root
// to a directory that is mounted there under the name that it has here; and one with user ids of
// its own can mount our root directory, and its own files over ours.
bool sees_other_files(int pid, bool is_roots) {
  std::string ours = link_or_empty("/proc/self/ns/mnt");
  std::string theirs = link_or_empty(proc(pid, "ns/mnt"));
  if (theirs.empty() || theirs == ours) return false;
  const std::string root = link_or_empty(proc(pid, "root"));
  auto our_root = Disk().stat(root);
  auto their_root = Disk().stat(proc(pid, "root") + "/");
  if (!their_root) return false;
  if (!our_root || !our_root->same_file(*their_root)) return true;
  if (own_user() != 0) return false;
  return (is_roots && has_own_users(pid)) || (root != "/" && is_in_container(pid));
}

bool has_own_network(int pid) {
  std::string theirs = link_or_empty(proc(pid, "ns/net"));
  return !theirs.empty() && theirs != link_or_empty("/proc/self/ns/net");
}

Process describe(int pid, const Stat& stat) {
  const std::array<uint32_t, 4> users = users_of(pid);
  const bool keeps_root = std::ranges::find(users, 0u) != users.end();
  const bool other_mounts = sees_other_files(pid, keeps_root);
  const std::string root = other_mounts ? proc(pid, "root") : "";
  return {.pid = pid,
          .parent = stat.parent,
          .executable = without_deleted(link_or_empty(proc(pid, "exe"))),
          .arguments = arguments_of(pid),
          .root = other_mounts ? root : link_or_empty(proc(pid, "root")),
          .working_directory = root + link_or_empty(proc(pid, "cwd")),
          .user = users[1],
          .owner = owner_among(users),
          .keeps_root = keeps_root,
          .started = stat.started,
          .other_mounts = other_mounts,
          .has_own_network = has_own_network(pid)};
}

bool is_alive(const Stat& stat) {
  return stat.state != 'Z' && stat.state != 'X';
}

// The program may be installed under another name, which is then its short name.
bool is_titled(int pid, const std::string& name) {
  std::vector<std::string> arguments = arguments_of(pid);
  if (!arguments.empty() && arguments.front().starts_with(name + ": ")) return true;
  return file_name(without_deleted(link_or_empty(proc(pid, "exe")))) == name;
}

template <class Wanted>
Result<std::vector<Process>> processes_where(Wanted wanted) {
  auto entries = Disk().list("/proc");
  if (!entries) return pass(entries);
  std::vector<Process> found;
  for (const std::string& entry : *entries) {
    const auto pid = whole_number<int>(entry);
    if (!pid) continue;
    Stat stat;
    if (read_stat(*pid, stat) && is_alive(stat) && wanted(*pid, stat))
      found.push_back(describe(*pid, stat));
  }
  std::ranges::sort(found, {}, &Process::pid);
  return found;
}

// The listening UNIX sockets. A socket name there may contain a line end and text that looks like
// another line (unix(7)). So a socket counts only if every line about it says that it listens, and
// no TCP table contains it: each socket has one true line.
std::set<uint64_t> unix_listeners_near(int pid) {
  constexpr size_t kFlags = 3, kInode = 6, kTcpInode = 9;
  std::set<uint64_t> listening, other;
  for (const std::string& line : split(read_or_empty(proc(pid, "net/unix")), '\n')) {
    std::vector<std::string> words = words_of(line);
    if (words.size() <= kInode) continue;
    (words[kFlags] == "00010000" ? listening : other)
        .insert(std::strtoull(words[kInode].c_str(), nullptr, 10));
  }
  std::erase_if(listening, [&](uint64_t inode) { return other.contains(inode); });
  for (const char* table : {"net/tcp", "net/tcp6"}) {
    const std::string text = listening.empty() ? "" : read_or_empty(proc(pid, table));
    std::erase_if(listening, [&](uint64_t inode) {
      const std::string word = fmt::format(" {} ", inode);
      for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        size_t begin = text.rfind('\n', at) + 1;
        std::vector<std::string> words = words_of(text.substr(begin, text.find('\n', at) - begin));
        if (words.size() > kTcpInode && words[kTcpInode] == word.substr(1, word.size() - 2))
          return true;
      }
      return false;
    });
  }
  return listening;
}

// The listening sockets in the network namespace of a process, by inode, with their TCP ports (0
// for UNIX sockets). State 0A of tcp(7), flag __SO_ACCEPTCON of a UNIX socket.
std::map<uint64_t, uint16_t> listening_near(int pid) {
  std::map<uint64_t, uint16_t> found;
  auto add = [&](const char* table, size_t column, const std::string& value, size_t inode) {
    constexpr size_t kLocal = 1;  // address of a TCP socket: "0100007F:01BB"
    std::string text;
    if (auto bytes = Disk().read(proc(pid, table), kConfigLimit)) text = std::move(*bytes);
    // Skips connections early: a busy server has tens of thousands of them.
    for (size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
      end = std::min(text.find('\n', begin), text.size());
      std::string_view line = std::string_view(text).substr(begin, end - begin);
      if (line.find(value) == std::string_view::npos) continue;
      std::vector<std::string> words = words_of(line);
      if (words.size() <= inode || words[column] != value) continue;
      size_t colon = words[kLocal].rfind(':');
      auto port = colon == std::string::npos
                      ? 0UL
                      : std::strtoul(words[kLocal].c_str() + colon + 1, nullptr, 16);
      found.emplace(std::strtoull(words[inode].c_str(), nullptr, 10), static_cast<uint16_t>(port));
    }
  };
  add("net/tcp", 3, "0A", 9);
  add("net/tcp6", 3, "0A", 9);
  for (uint64_t inode : unix_listeners_near(pid)) found.emplace(inode, 0);
  return found;
}

// A signal set from a line of /proc/PID/status; the first signal is the lowest bit.
uint64_t signal_set(std::string_view status, std::string_view name) {
  size_t line = status.find(name);
  if (line == std::string_view::npos) return 0;
  std::string text(trim(status.substr(line + name.size(), 32)));
  return std::strtoull(text.c_str(), nullptr, 16);
}

// Signals through a child that has only the user's rights. Otherwise, between our check and the
// signal, the process could become one of root's (execve(2) of a set-user-ID program). Returns an
// errno, or 0.
int signal_as(uint32_t user, int process, int number) {
  const Rights rights = rights_of(user);
  pid_t child = ::fork();
  if (child < 0) return errno;
  if (child == 0) {
    if (!take_for_good(rights)) ::_exit(EPERM);
    bool sent = ::syscall(SYS_pidfd_send_signal, process, number, nullptr, 0) == 0;
    ::_exit(sent ? 0 : errno);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
}

}  // namespace

Result<std::vector<Process>> SystemProcessTable::named(const std::string& name) const {
  auto found = processes_where(
      [&](int pid, const Stat& stat) { return stat.name == name || is_titled(pid, name); });
  if (found)
    for (Process& process : *found) process.is_strangers = is_strangers(process.owner);
  return found;
}

Result<std::vector<Process>> SystemProcessTable::running(
    const std::set<std::string>& executables) const {
  auto found = processes_where([&](int pid, const Stat& stat) {
    const std::string executable = without_deleted(link_or_empty(proc(pid, "exe")));
    return executables.contains(executable.empty() ? stat.name : file_name(executable));
  });
  if (found)
    for (Process& process : *found) process.is_strangers = is_strangers(process.owner);
  return found;
}

bool SystemProcessTable::is_strangers(uint32_t owner) const {
  return own_user() == 0 && owner != 0 && users_ && !users_->contains(owner);
}

Result<std::vector<Process>> SystemProcessTable::children(int pid) const {
  return processes_where([&](int, const Stat& stat) { return stat.parent == pid; });
}

Result<Process> SystemProcessTable::find(int pid) const {
  Stat stat;
  if (!read_stat(pid, stat) || !is_alive(stat))
    return fail(Code::not_found, "find the process", std::to_string(pid), "it is gone");
  return describe(pid, stat);
}

Result<std::vector<std::string>> SystemProcessTable::environment(int pid) const {
  auto text = Disk().read(proc(pid, "environ"), kPemLimit);
  if (!text) return pass(text);
  while (!text->empty() && text->back() == '\0') text->pop_back();
  if (text->empty()) return std::vector<std::string>();
  return split(*text, '\0');
}

std::string SystemProcessTable::unit(int pid) const {
  return system_unit_in(read_or_empty(proc(pid, "cgroup")));
}

// The line "0::PATH", or "N:name=systemd:PATH" of the older hierarchies. A user's manager and a
// container's have cgroups of their own below.
std::string system_unit_in(std::string_view cgroups) {
  for (const std::string& line : split(std::string(cgroups), '\n')) {
    const size_t path = line.find(":/");
    if (path == line.npos || !(line.starts_with("0::") || line.find(":name=systemd:") != line.npos))
      continue;
    const std::vector<std::string> parts = split(line.substr(path + 2), '/');
    auto below = std::ranges::find_if(
        parts, [](const std::string& part) { return !part.ends_with(".slice"); });
    if (below != parts.end() && below->ends_with(".service")) return *below;
  }
  return "";
}

Result<std::vector<uint64_t>> SystemProcessTable::sockets(int pid) const {
  constexpr std::string_view kSocket = "socket:[";
  auto entries = Disk().list(proc(pid, "fd"));
  if (!entries) return pass(entries);
  std::vector<uint64_t> found;
  for (const std::string& entry : *entries) {
    std::string target = link_or_empty(proc(pid, "fd") + "/" + entry);
    if (target.starts_with(kSocket))
      found.push_back(std::strtoull(target.c_str() + kSocket.size(), nullptr, 10));
  }
  return found;
}

Result<std::vector<uint64_t>> SystemProcessTable::listening_sockets(int pid) const {
  auto held = sockets(pid);
  if (!held) return held;
  auto listening = listening_near(pid);
  std::erase_if(*held, [&](uint64_t socket) { return !listening.contains(socket); });
  return held;
}

Result<std::set<uint16_t>> SystemProcessTable::listening_ports(std::span<const int> pids) const {
  auto network = Disk().read_link(proc(pids.front(), "ns/net"));
  if (!network) return pass(network);
  if (*network != link_or_empty("/proc/self/ns/net"))
    return fail(Code::unsupported, "tell the ports of process", std::to_string(pids.front()),
                "it has a network of its own");
  auto listening = listening_near(pids.front());  // takes some milliseconds, so only once for all
  std::set<uint16_t> ports;
  for (int pid : pids) {
    auto held = sockets(pid);
    if (!held && held.error().code != Code::not_found) return pass(held);
    for (uint64_t socket : held.value_or(std::vector<uint64_t>()))
      if (auto found = listening.find(socket); found != listening.end() && found->second != 0)
        ports.insert(found->second);
  }
  return ports;
}

// Process start times use CLOCK_BOOTTIME (proc(5), field 22 of stat).
WallTime SystemProcessTable::started_at(const Process& process) const {
  struct timespec up {};
  ::clock_gettime(CLOCK_BOOTTIME, &up);
  const auto ticks = static_cast<uint64_t>(::sysconf(_SC_CLK_TCK));
  auto started = milliseconds(process.started * 1000 / ticks);
  auto now = milliseconds(up.tv_sec * 1000 + up.tv_nsec / 1'000'000);
  return SystemClock().wall() - (now - started);
}

Result<bool> SystemProcessTable::catches(int pid, int number, bool even_blocked) const {
  auto status = Disk().read(proc(pid, "status"), kPemLimit);
  if (!status) return pass(status);
  uint64_t bit = uint64_t{1} << (number - 1);
  const uint64_t blocked = even_blocked ? 0 : signal_set(*status, "\nSigBlk:");
  return (signal_set(*status, "\nSigCgt:") & ~blocked & bit) != 0;
}

Done SystemProcessTable::signal(int pid, uint64_t started, int number) {
  std::string subject = std::to_string(pid);
  // The descriptor pins the process, so a reused pid cannot be signalled after the check below.
  Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return system_failure(errno, "signal process", subject);
  Stat stat;
  if (!read_stat(pid, stat) || stat.started != started || !is_alive(stat))
    return fail(Code::not_found, "signal process", subject, "it is gone");
  const uint32_t owner = owner_among(users_of(pid));
  int error = 0;
  if (owner != 0 && own_user() == 0) {
    error = signal_as(owner, process.get(), number);
  } else if (::syscall(SYS_pidfd_send_signal, process.get(), number, nullptr, 0) != 0) {
    error = errno;
  }
  if (error != 0) return system_failure(error, "signal process", subject);
  return {};
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

int own_pid() {
  return ::getpid();
}
uint32_t own_user() {
  return ::geteuid();
}

}  // namespace certrebind
