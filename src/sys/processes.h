// Lists, runs and signals other programs.
#pragma once

#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sys/network.h"

namespace certrebind {

// One running process, as /proc describes it (proc(5)).
struct Process {
  int pid = 0;
  int parent = 0;
  std::string executable;  // resolved, without " (deleted)"; in a container as it is named there
  std::vector<std::string> arguments;  // as the process shows them now
  std::string root;  // "/" unless it was chrooted; "/proc/PID/root" in a container (container.h)
  std::string working_directory;
  uint32_t user = 0;  // effective uid
  // The owner, which a process cannot fake. It is root only if all user ids of the process (real,
  // effective, saved and file system) are root's; otherwise it is the first id that is not root's.
  uint32_t owner = 0;
  // One of its ids is root's all the same: it may take root's rights again.
  bool keeps_root = false;
  // Owned by an ordinary user who is not among the users that certrebind manages.
  bool is_strangers = false;
  uint64_t started = 0;          // clock ticks since boot: with the pid, an identity
  bool other_mounts = false;     // runs in a container: its paths name other files than ours
  bool has_own_network = false;  // another network namespace than ours
};

// A listening socket (state LISTEN in tcp(7) and unix(7)).
struct ListeningSocket {
  uint64_t inode = 0;
  Address address;  // as bound: a wildcard is "0.0.0.0" or "::"
};

// A process that has a listening socket among its descriptors.
struct SocketHolder {
  Process process;
  uint64_t inode = 0;
  // Whether the process waits for connections on the socket: it may also have inherited the
  // descriptor and forgotten it. `perhaps`: it waits for something that cannot be seen.
  enum class Waits { no, perhaps, yes };
  Waits waits = Waits::no;
};

class ProcessTable {
 public:
  virtual ~ProcessTable() = default;
  // Processes whose short name (comm) or executable file name is `name`, or whose title says so
  // ("nginx: master process …"), by pid. Omits processes that vanish meanwhile. A process without
  // read permission has an empty executable.
  virtual Result<std::vector<Process>> named(const std::string& name) const = 0;
  // Processes whose executable has one of these file names, by pid; if the executable may not be
  // read, whose short name is one of them.
  virtual Result<std::vector<Process>> running(const std::set<std::string>& executables) const = 0;
  // The children of a process, by pid.
  virtual Result<std::vector<Process>> children(int pid) const = 0;
  // Code::not_found if there is no such process. Zombies count as gone.
  virtual Result<Process> find(int pid) const = 0;
  // The environment with which the process was started: "NAME=value" (environ in proc(5)).
  virtual Result<std::vector<std::string>> environment(int pid) const = 0;
  // The systemd service that the process belongs to (cgroups(7)): "squid.service". Empty if it is
  // none of the system's own: a login session, a user's service, a container.
  virtual std::string unit(int pid) const = 0;
  // The sockets of a process, by inode.
  virtual Result<std::vector<uint64_t>> sockets(int pid) const = 0;
  // The subset of `sockets` that listens: TCP and UNIX sockets.
  virtual Result<std::vector<uint64_t>> listening_sockets(int pid) const = 0;
  // The TCP ports on which any of these processes listens. A process that is gone listens on none.
  // Code::unsupported if the first process has another network namespace than ours (namespaces(7)).
  virtual Result<std::set<uint16_t>> listening_ports(std::span<const int> pids) const = 0;
  // The sockets that receive the connections to this address in the network namespace of a process.
  // As in the kernel, these are the most specifically bound listeners on the port. There are
  // several if they share the address (SO_REUSEPORT in socket(7)). For a UNIX socket: all sockets
  // of that path.
  virtual Result<std::vector<ListeningSocket>> listeners_at(int near,
                                                            const Address& address) const = 0;
  // Every process of this host that holds one of these sockets, as far as permissions allow us to
  // see.
  virtual Result<std::vector<SocketHolder>> holders(const std::set<uint64_t>& sockets) const = 0;
  // The start time of a process, on the current clock.
  virtual WallTime started_at(const Process& process) const = 0;
  // True if the process has its own handler for this signal, and does not block it unless
  // `even_blocked`. A signal sent earlier may be lost, or end the process (signal(7)).
  virtual Result<bool> catches(int pid, int number, bool even_blocked) const = 0;
  // Signals exactly this process: pid and start time must both match, otherwise Code::not_found. A
  // process of an ordinary user is signalled with that user's rights only.
  virtual Done signal(int pid, uint64_t started, int number) = 0;
};

class SystemProcessTable final : public ProcessTable {
 public:
  // Root manages servers of root and of these users; unset: of all users. For a process of any
  // other user, root reads, runs and records nothing that the process claims about itself.
  void look_after(std::optional<std::set<uint32_t>> users) { users_ = std::move(users); }

  Result<std::vector<Process>> named(const std::string& name) const override;
  Result<std::vector<Process>> running(const std::set<std::string>& executables) const override;
  Result<std::vector<Process>> children(int pid) const override;
  Result<Process> find(int pid) const override;
  Result<std::vector<std::string>> environment(int pid) const override;
  std::string unit(int pid) const override;
  Result<std::vector<uint64_t>> sockets(int pid) const override;
  Result<std::vector<uint64_t>> listening_sockets(int pid) const override;
  Result<std::set<uint16_t>> listening_ports(std::span<const int> pids) const override;
  Result<std::vector<ListeningSocket>> listeners_at(int near,
                                                    const Address& address) const override;
  Result<std::vector<SocketHolder>> holders(const std::set<uint64_t>& sockets) const override;
  WallTime started_at(const Process& process) const override;
  Result<bool> catches(int pid, int number, bool even_blocked) const override;
  Done signal(int pid, uint64_t started, int number) override;

 private:
  bool is_strangers(uint32_t owner) const;

  std::optional<std::set<uint32_t>> users_ = std::set<uint32_t>();
};

// The same of the text of /proc/PID/cgroup.
std::string system_unit_in(std::string_view cgroups);

// This process and the user it runs as.
int own_pid();
// The name of this machine (gethostname(2)).
std::string host_name();
uint32_t own_user();

// A file that a program sees with other content than the one on disk.
struct ShownFile {
  std::string path;  // real path of a file that exists
  std::string content;
  std::optional<uint32_t> mode = {};  // permission bits; unset: those of the file on disk
};

// A program to run: an argument vector, never a shell line.
struct Command {
  std::vector<std::string> arguments;
  std::string root;  // chroot into this directory; empty or "/": our own root
  // Set for a program that belongs to somebody else and runs as cron would run it. This is its
  // whole environment ("NAME=value"). It starts in "/" with umask 022, the end of its output is
  // kept, and a passed deadline is a value, not an error. Unset: our environment, or
  // kPlainEnvironment for a `user`.
  std::optional<std::vector<std::string>> environment = {};
  uint32_t file_mask = 0077;  // umask(2) of the program
  // If not root: runs the program with the rights of this user only (sys/rights.h), detached from
  // our terminal, with limited memory and processor time. Only root can run a program as another
  // user.
  uint32_t user = 0;
  // Only the standard output is kept, at most 16 MiB of it, for programs that print what we read.
  bool printed_only = false;
  // What the program reads from its standard input. Empty: nothing.
  std::string input = {};
  // Files that this program alone sees with other content. Only root can do this: otherwise, and on
  // a host that forbids it, nothing is run (Code::unsupported; a rehearsal is `impossible`).
  std::vector<ShownFile> shown = {};

  // The command line as a person would type it, quoted for a shell where needed.
  std::string text() const;
};

// The whole environment of a program that runs with the rights of a `user`.
inline constexpr const char* kPlainEnvironment[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/"};

struct CommandOutput {
  int status = 0;      // exit status; 128 + n when killed by signal n
  std::string output;  // stdout and stderr as they came, at most 256 KiB
  milliseconds took{};
  bool timed_out = false;  // killed at the deadline, with its whole process group
};

// A program that runs in the background. Destroying this object ends the program.
struct RunningCommand {
  std::shared_future<Result<CommandOutput>> outcome;
  std::jthread minder = {};
};

// A trial start of a server, which shows whether the server comes up, and then ends it. It has its
// own network, process table and shared memory, and its own files where the fields below say so. So
// it cannot affect the running server.
struct Rehearsal {
  Command command;    // kScratch in an argument stands for a directory that exists during this run
  std::string ready;  // a file in the scratch directory, created once everything is loaded
  milliseconds settle{50};  // how long the server must stay alive after it is ready
  // Directories, as real paths, in which changes are discarded.
  std::vector<std::string> forgotten;
  // Files, as real paths, that appear empty to the server. Whatever it writes to them becomes part
  // of its output.
  std::vector<std::string> masked;
};
inline constexpr const char* kScratch = "@scratch@";
// A file in the scratch directory that becomes part of the output.
inline constexpr const char* kSaid = "said";

struct RehearsalOutput {
  // Not empty: this host does not allow the isolation, and nothing was run.
  std::string impossible;
  bool came_up = false;
  CommandOutput of;  // its output, and its exit status if it ended by itself
};

// A rehearsal that runs in the background. Destroying this object waits until none of its processes
// is left, which may be a while after the outcome is known.
struct RunningRehearsal {
  std::future<Result<RehearsalOutput>> outcome;
  std::jthread minder = {};
};

class Commands {
 public:
  virtual ~Commands() = default;
  // Runs the program to its end, or kills it at the deadline (Code::timed_out; with its own
  // environment, a value). A non-zero status is a value. Processes left in the background may go
  // on, but their output is read only briefly.
  virtual Result<CommandOutput> run(const Command& command, milliseconds deadline) = 0;
  virtual RunningCommand start(const Command& command, milliseconds deadline) = 0;
  // Runs until the server is ready, has ended, or the deadline has passed (a value: it did not come
  // up).
  virtual RunningRehearsal rehearse(const Rehearsal& rehearsal, milliseconds deadline) = 0;
};

class SystemCommands final : public Commands {
 public:
  Result<CommandOutput> run(const Command& command, milliseconds deadline) override;
  RunningCommand start(const Command& command, milliseconds deadline) override;
  RunningRehearsal rehearse(const Rehearsal& rehearsal, milliseconds deadline) override;
};

}  // namespace certrebind
