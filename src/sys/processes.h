// Other programs: seeing them, running them, signalling them.
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

// One running process as /proc tells it (proc(5)).
struct Process {
  int pid = 0;
  int parent = 0;
  std::string executable;              // resolved, without " (deleted)"
  std::vector<std::string> arguments;  // as the process shows them now
  std::string root;                    // "/" unless it was chrooted
  std::string working_directory;
  uint32_t user = 0;  // effective uid
  // Whose it is, as nobody can make it look: root's only where all of its user ids (real,
  // effective, saved and that for files) are, else the first of them that is not.
  uint32_t owner = 0;
  // An ordinary user's, whom nobody has named as one whose servers are looked after.
  bool is_strangers = false;
  uint64_t started = 0;       // clock ticks since boot: with the pid, an identity
  bool other_mounts = false;  // its paths mean other files than ours: it runs in a container
};

// A socket that takes connections (state LISTEN in tcp(7) and unix(7)).
struct ListeningSocket {
  uint64_t inode = 0;
  Address address;  // as it is bound: a wildcard is "0.0.0.0" or "::"
};

// A process that has such a socket among its descriptors.
struct SocketHolder {
  Process process;
  uint64_t inode = 0;
  // Whether it waits for connections there: a descriptor may also be inherited and forgotten.
  // `perhaps`: it waits for something, and for what cannot be seen.
  enum class Waits { no, perhaps, yes };
  Waits waits = Waits::no;
};

class ProcessTable {
 public:
  virtual ~ProcessTable() = default;
  // Processes whose short name (comm) or whose executable's file name is `name`, or that say so in
  // their title ("nginx: master process …"), by pid. Those that vanish meanwhile are left out,
  // those that may not be looked into have an empty executable.
  virtual Result<std::vector<Process>> named(const std::string& name) const = 0;
  // The children of a process, by pid.
  virtual Result<std::vector<Process>> children(int pid) const = 0;
  // Code::not_found when there is none (zombies count as gone).
  virtual Result<Process> find(int pid) const = 0;
  // Its environment as it was started with: "NAME=value" (environ in proc(5)).
  virtual Result<std::vector<std::string>> environment(int pid) const = 0;
  // The sockets that it holds, by inode.
  virtual Result<std::vector<uint64_t>> sockets(int pid) const = 0;
  // Of these, those that take connections: TCP and UNIX sockets that listen.
  virtual Result<std::vector<uint64_t>> listening_sockets(int pid) const = 0;
  // The TCP ports on which any of these listens; those that are gone listen on none.
  // Code::unsupported where the network of the first is another than ours (namespaces(7)).
  virtual Result<std::set<uint16_t>> listening_ports(std::span<const int> pids) const = 0;
  // The sockets that get the connections to this address in the network namespace of a process: of
  // those that listen on its port the ones that are bound most specifically, as the kernel chooses.
  // Several where they share it (SO_REUSEPORT in socket(7)). Of a UNIX socket all of that path.
  virtual Result<std::vector<ListeningSocket>> listeners_at(int near,
                                                            const Address& address) const = 0;
  // Every process of this host that holds one of these sockets, as far as we may look into it.
  virtual Result<std::vector<SocketHolder>> holders(const std::set<uint64_t>& sockets) const = 0;
  // When it was started, by the clock as it goes now.
  virtual WallTime started_at(const Process& process) const = 0;
  // A handler of its own waits for this signal, and nothing holds it off. Sent before, it may be
  // lost, or end the process (signal(7)).
  virtual Result<bool> catches(int pid, int number) const = 0;
  // Only to the very process meant: pid and start time must both fit. Code::not_found otherwise.
  // One that is an ordinary user's gets it with no more than his rights.
  virtual Done signal(int pid, uint64_t started, int number) = 0;
};

class SystemProcessTable final : public ProcessTable {
 public:
  // Root looks after servers of root and of these users; unset: of everybody. Nobody else's process
  // has anything read, run or recorded by root because of what it says of itself.
  void look_after(std::optional<std::set<uint32_t>> users) { users_ = std::move(users); }

  Result<std::vector<Process>> named(const std::string& name) const override;
  Result<std::vector<Process>> children(int pid) const override;
  Result<Process> find(int pid) const override;
  Result<std::vector<std::string>> environment(int pid) const override;
  Result<std::vector<uint64_t>> sockets(int pid) const override;
  Result<std::vector<uint64_t>> listening_sockets(int pid) const override;
  Result<std::set<uint16_t>> listening_ports(std::span<const int> pids) const override;
  Result<std::vector<ListeningSocket>> listeners_at(int near,
                                                    const Address& address) const override;
  Result<std::vector<SocketHolder>> holders(const std::set<uint64_t>& sockets) const override;
  WallTime started_at(const Process& process) const override;
  Result<bool> catches(int pid, int number) const override;
  Done signal(int pid, uint64_t started, int number) override;

 private:
  bool is_strangers(uint32_t owner) const;

  std::optional<std::set<uint32_t>> users_ = std::set<uint32_t>();
};

// This process and the user it runs as.
int own_pid();
uint32_t own_user();

// A program to run: an argument vector, never a shell line.
struct Command {
  std::vector<std::string> arguments;
  std::string root;  // run inside this root; empty or "/": ours
  // A program of somebody else's, to be run as cron would: this is its whole environment
  // ("NAME=value"), it begins in "/" with umask 022, the last of its output is kept, and a deadline
  // that passed is a value too. Unset: ours, or kPlainEnvironment for a `user`.
  std::optional<std::vector<std::string>> environment = {};
  uint32_t file_mask = 0077;  // umask(2): what may not be set on files that it makes
  // Not root: it is run with this user's rights and no others (sys/rights.h), apart from our
  // terminal, and may use only so much memory and processor time. Only root can do that for others.
  uint32_t user = 0;

  // The line a person would type, quoted for a shell where needed.
  std::string text() const;
};

// All that a program learns from us that runs with the rights of a `user`.
inline constexpr const char* kPlainEnvironment[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/"};

struct CommandOutput {
  int status = 0;      // exit status; 128 + n when killed by signal n
  std::string output;  // stdout and stderr as they came, at most 256 KiB
  milliseconds took{};
  bool timed_out = false;  // killed at the deadline, with its whole process group
};

// A program that goes on beside what is done meanwhile. Who lets go of it ends it.
struct RunningCommand {
  std::shared_future<Result<CommandOutput>> outcome;
  std::jthread minder = {};
};

// A server that is started to see whether it comes up, and ended again: with a network, a process
// table and shared memory of its own, and with files of its own where it is said below, so that
// nothing of it reaches the one that serves.
struct Rehearsal {
  Command command;    // kScratch in an argument stands for a directory that is there for this run
  std::string ready;  // a file in that directory, made once everything is loaded
  // Directories, as real paths, in which what it changes is forgotten.
  std::vector<std::string> forgotten;
  // Files, as real paths, that are empty for it. What it writes there is part of its output.
  std::vector<std::string> masked;
};
inline constexpr const char* kScratch = "@scratch@";
// A file in the scratch directory that is part of its output.
inline constexpr const char* kSaid = "said";

struct RehearsalOutput {
  // Not empty: this host does not let us set it apart, and nothing was run.
  std::string impossible;
  bool came_up = false;
  CommandOutput of;  // what it said, and its status where it ended by itself
};

// One that goes on beside what is done meanwhile. Who lets go of it waits until no process of it is
// left; that may be a while after the outcome is known.
struct RunningRehearsal {
  std::future<Result<RehearsalOutput>> outcome;
  std::jthread minder = {};
};

class Commands {
 public:
  virtual ~Commands() = default;
  // Runs to the end, or kills it at the deadline (Code::timed_out; with an environment of its own a
  // value). A non-zero status is a value. What it leaves in the background may go on, but is not
  // listened to for long.
  virtual Result<CommandOutput> run(const Command& command, milliseconds deadline) = 0;
  virtual RunningCommand start(const Command& command, milliseconds deadline) = 0;
  // Runs until it is ready, has ended, or the deadline passed (a value: it did not come up).
  virtual RunningRehearsal rehearse(const Rehearsal& rehearsal, milliseconds deadline) = 0;
};

class SystemCommands final : public Commands {
 public:
  Result<CommandOutput> run(const Command& command, milliseconds deadline) override;
  RunningCommand start(const Command& command, milliseconds deadline) override;
  RunningRehearsal rehearse(const Rehearsal& rehearsal, milliseconds deadline) override;
};

}  // namespace certrebind
