#include "proof/foreign_listeners.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"

namespace certrebind {

namespace {

constexpr milliseconds kSecondLook{50};  // between the two samples
constexpr int kDeepest = 64;             // limit for walking up the parents of a process

using Waits = SocketHolder::Waits;

// The processes that hold the sockets of a server at one moment.
class ListenerLook {
 public:
  ListenerLook(const ProcessTable& processes, const SignalReload& master,
               const std::set<Address>& addresses)
      : processes_(processes), master_(master) {
    if (auto found = processes.find(master.pid)) program_ = found->executable;
    for (const Address& address : addresses) add_sockets(address);
    std::set<uint64_t> inodes;
    for (const auto& [inode, address] : sockets_) inodes.insert(inode);
    if (auto found = processes.holders(inodes)) holders_ = std::move(*found);
    for (const SocketHolder& holder : holders_)
      if (is_of_family(holder.process)) own_.insert(holder.inode);
    leave_shared_addresses();
  }

  // The key is pid and inode.
  using Found = std::map<std::pair<int, uint64_t>, ForeignListener>;
  Found foreign() const {
    Found found;
    for (const SocketHolder& holder : holders_) {
      std::string why = why_foreign(holder);
      if (why.empty()) continue;
      const Process& process = holder.process;
      found[{process.pid, holder.inode}] = {.pid = process.pid,
                                            .executable = process.executable,
                                            .since = processes_.started_at(process),
                                            .address = sockets_.at(holder.inode).text(),
                                            .port = sockets_.at(holder.inode).port,
                                            .why = std::move(why)};
    }
    if (!own_.empty() && own_user() == 0) add_unseen(found);
    return found;
  }

 private:
  // Several sockets may be bound to one UNIX path; connections go to the one that was bound last.
  // So a UNIX socket that the server does not hold itself tells nothing.
  void add_sockets(const Address& address) {
    auto sockets = processes_.listeners_at(master_.pid, address);
    if (!sockets) return;
    std::set<uint64_t>& together = by_address_.emplace_back();
    for (ListeningSocket& socket : *sockets) {
      together.insert(socket.inode);
      sockets_.emplace(socket.inode, std::move(socket.address));
    }
  }

  // Drops the addresses where the server does not listen itself: nothing is shared there, and
  // handshakes show who answers.
  void leave_shared_addresses() {
    std::set<uint64_t> shared;
    for (const std::set<uint64_t>& together : by_address_)
      if (std::ranges::any_of(together, [&](uint64_t inode) { return own_.contains(inode); }))
        shared.insert(together.begin(), together.end());
    std::erase_if(sockets_, [&](const auto& socket) { return !shared.contains(socket.first); });
    std::erase_if(holders_,
                  [&](const SocketHolder& holder) { return !shared.contains(holder.inode); });
  }

  // A socket whose holder we cannot see, for example in a container that shares the network
  // namespace.
  void add_unseen(Found& found) const {
    for (const auto& [inode, address] : sockets_) {
      const bool is_held = std::ranges::any_of(
          holders_, [&](const SocketHolder& holder) { return holder.inode == inode; });
      if (is_held || !address.unix_path.empty()) continue;
      found[{0, inode}] = {.pid = 0,
                           .executable = {},
                           .since = {},
                           .address = address.text(),
                           .port = address.port,
                           .why = "it may be in another container"};
    }
  }

  // systemd passes sockets to services, and accepts no connections itself.
  static bool is_init(const Process& process) {
    const std::string name = file_name(process.executable);
    return process.pid == 1 && (name == "systemd" || name == "init");
  }

  // A child whose own children hold the sockets is itself a main process.
  bool is_second_master(const Process& process) const {
    return std::ranges::any_of(holders_, [&](const SocketHolder& other) {
      return other.process.parent == process.pid && other.process.executable == process.executable;
    });
  }

  bool is_of_family(const Process& process) const {
    if (process.pid == master_.pid) return true;
    return process.parent == master_.pid && !is_second_master(process);
  }

  bool descends(const Process& process) const {
    int parent = process.parent;
    for (int depth = 0; depth < kDeepest && parent > 1; ++depth) {
      if (parent == master_.pid) return true;
      auto above = processes_.find(parent);
      if (!above) return false;
      parent = above->parent;
    }
    return false;
  }

  // Returns an empty text if the process belongs to the server, or only inherited the descriptor.
  std::string why_foreign(const SocketHolder& holder) const {
    const Process& process = holder.process;
    if (is_of_family(process) || is_init(process)) return "";
    const bool same_program = process.executable == program_;
    const bool shares = own_.contains(holder.inode);
    const bool is_unix = !sockets_.at(holder.inode).unix_path.empty();
    if (!shares && is_unix) return "";
    const bool is_below = descends(process);
    // A program that a worker runs inherits descriptors, but does not accept on them.
    if (is_below && !same_program) return "";
    const Waits enough = same_program ? Waits::perhaps : Waits::yes;
    if (shares && holder.waits < enough) return "";
    if (is_below || process.pid == main_parent())
      return fmt::format(
          "another main process beside the server's main process {} has its sockets, as after "
          "an upgrade of the program",
          master_.pid);
    if (shares)
      return fmt::format(
          "it has the server's socket, but is not a child of the server's main process {}",
          master_.pid);
    return fmt::format(
        "it has its own socket there, and is not a child of the server's main "
        "process {}",
        master_.pid);
  }

  int main_parent() const {
    auto found = processes_.find(master_.pid);
    return found ? found->parent : 0;
  }

  const ProcessTable& processes_;
  const SignalReload& master_;
  std::string program_;
  std::vector<std::set<uint64_t>> by_address_;  // sockets at each address
  std::map<uint64_t, Address> sockets_;
  std::vector<SocketHolder> holders_;
  std::set<uint64_t> own_;  // sockets that the server holds itself
};

}  // namespace

std::string ForeignListener::text() const {
  if (pid == 0)
    return fmt::format("a process that certrebind cannot see also takes connections at {}: {}",
                       address, why);
  return fmt::format("process {} ({}, since {} UTC) also takes connections at {}: {}", pid,
                     executable.empty() ? "unknown" : printable(executable), to_text(since),
                     address, why);
}

std::string ForeignListener::next() const {
  if (pid == 0) return "find the process that listens there: ss -ltnp";
  return fmt::format(
      "if it is left over, end it: kill {}; if it must stay, give it another "
      "address",
      pid);
}

std::set<Address> addresses_of(const std::vector<Expectation>& expectations) {
  std::set<Address> addresses;
  for (const Expectation& expected : expectations)
    if (expected.answered) addresses.insert(expected.address);
  return addresses;
}

std::vector<ForeignListener> foreign_listeners(const Host& host, const SignalReload& master,
                                               const std::set<Address>& addresses) {
  if (addresses.empty()) return {};
  ListenerLook::Found first = ListenerLook(host.processes, master, addresses).foreign();
  if (first.empty()) return {};
  host.clock.sleep(kSecondLook);
  ListenerLook::Found second = ListenerLook(host.processes, master, addresses).foreign();
  std::vector<ForeignListener> found;
  std::set<int> told;
  for (auto& [which, listener] : second)
    if (first.contains(which) && told.insert(which.first).second)
      found.push_back(std::move(listener));
  return found;
}

std::vector<ForeignListener> foreign_listeners_of(const Host& host, const Survey& survey,
                                                  const Service& service) {
  auto master = service.reload().signal;
  if (!master) return {};
  std::set<Address> addresses;
  for (const SurveyedBinding& bound : survey.bindings)
    if (bound.service == &service && bound.binding.role == Role::server)
      for (const Endpoint& endpoint : bound.binding.endpoints)
        if (endpoint.unproven.empty()) addresses.insert(endpoint.address);
  return foreign_listeners(host, *master, addresses);
}

}  // namespace certrebind
