// Processes and commands that follow a script: the fakes for tests.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "sys/processes.h"

namespace certrebind {

class ScriptedProcesses final : public ProcessTable {
 public:
  std::vector<Process> processes;
  std::map<int, std::vector<std::string>> environments;
  std::map<int, std::string> units;            // systemd units, by pid
  std::map<int, std::vector<uint64_t>> held;   // sockets, by pid
  std::set<uint64_t> listening;                // the subset that listens
  std::map<int, std::vector<uint16_t>> ports;  // listening ports, by pid
  std::vector<std::pair<int, int>> signals;    // signals sent: pid, signal
  std::function<void(int, int)> on_signal;     // the server's reaction
  std::function<bool()> ready;  // whether the process handles the signal; unset: always

  Result<std::vector<Process>> named(const std::string&) const override { return processes; }
  Result<std::vector<Process>> running(const std::set<std::string>&) const override {
    return processes;
  }
  Result<std::vector<Process>> children(int pid) const override {
    std::vector<Process> found;
    for (const Process& process : processes)
      if (process.parent == pid) found.push_back(process);
    return found;
  }
  Result<Process> find(int pid) const override {
    for (const Process& process : processes)
      if (process.pid == pid) return process;
    return fail(Code::not_found, "find the process", std::to_string(pid), "it is gone");
  }
  Result<std::vector<std::string>> environment(int pid) const override {
    auto found = environments.find(pid);
    return found == environments.end() ? std::vector<std::string>() : found->second;
  }
  std::string unit(int pid) const override {
    auto found = units.find(pid);
    return found == units.end() ? "" : found->second;
  }
  Result<std::vector<uint64_t>> sockets(int pid) const override {
    auto found = held.find(pid);
    return found == held.end() ? std::vector<uint64_t>() : found->second;
  }
  Result<std::vector<uint64_t>> listening_sockets(int pid) const override {
    auto all = sockets(pid);
    std::erase_if(*all, [&](uint64_t socket) { return !listening.contains(socket); });
    return all;
  }
  Result<std::set<uint16_t>> listening_ports(std::span<const int> pids) const override {
    std::set<uint16_t> all;
    for (int pid : pids)
      if (auto found = ports.find(pid); found != ports.end())
        all.insert(found->second.begin(), found->second.end());
    return all;
  }
  std::vector<ListeningSocket> bound;  // the result of `listeners_at`
  std::vector<SocketHolder>
      also_holding;  // in addition to the holders among `processes` according to `held`
  Result<std::vector<ListeningSocket>> listeners_at(int, const Address& address) const override {
    std::vector<ListeningSocket> found;
    for (const ListeningSocket& socket : bound)
      if (socket.address == address) found.push_back(socket);
    return found;
  }
  Result<std::vector<SocketHolder>> holders(const std::set<uint64_t>& sockets) const override {
    std::vector<SocketHolder> found;
    for (const Process& process : processes)
      if (auto of = held.find(process.pid); of != held.end())
        for (uint64_t inode : of->second)
          if (sockets.contains(inode)) found.push_back({process, inode, SocketHolder::Waits::yes});
    for (const SocketHolder& holder : also_holding)
      if (sockets.contains(holder.inode)) found.push_back(holder);
    return found;
  }
  // Here a tick is a millisecond, and the machine was booted at the epoch.
  WallTime started_at(const Process& process) const override {
    return WallTime(milliseconds(process.started));
  }
  Result<bool> catches(int, int, bool) const override { return !ready || ready(); }
  Done signal(int pid, uint64_t started, int number) override {
    auto process = find(pid);
    if (!process) return pass(process);
    if (process->started != started)
      return fail(Code::not_found, "signal process", std::to_string(pid), "it is gone");
    signals.emplace_back(pid, number);
    if (on_signal) on_signal(pid, number);
    return {};
  }
};

class ScriptedCommands final : public Commands {
 public:
  std::vector<Command> ran;
  std::function<Result<CommandOutput>(const Command&)> answer = [](const Command&) {
    return Result<CommandOutput>(CommandOutput{});
  };

  std::vector<Rehearsal> rehearsed;
  std::function<Result<RehearsalOutput>(const Rehearsal&)> rehearsal = [](const Rehearsal&) {
    return Result<RehearsalOutput>(RehearsalOutput{.impossible = {}, .came_up = true, .of = {}});
  };

  Result<CommandOutput> run(const Command& command, milliseconds) override {
    std::lock_guard locked(lock_);  // several commands may run at once
    ran.push_back(command);
    return answer(command);
  }
  // The command has ended when this returns, so that tests do not depend on threads.
  RunningCommand start(const Command& command, milliseconds deadline) override {
    std::promise<Result<CommandOutput>> output;
    output.set_value(run(command, deadline));
    return {output.get_future()};
  }
  // The command runs when its outcome is requested, after the work done in parallel.
  RunningRehearsal rehearse(const Rehearsal& what, milliseconds) override {
    rehearsed.push_back(what);
    return {std::async(std::launch::deferred, [this, what] { return rehearsal(what); })};
  }

 private:
  std::mutex lock_;
};

}  // namespace certrebind
