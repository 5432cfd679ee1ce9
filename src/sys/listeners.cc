// Finds the processes that receive the connections to an address. Reads listening sockets from
// /proc/net, and the processes that hold them from /proc/PID/fd (proc(5)). A socket's inode is
// unique on the host across network namespaces, so processes of other namespaces are found too.
#include <arpa/inet.h>
#include <sys/syscall.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include "base/number.h"
#include "base/text.h"
#include "sys/disk.h"
#include "sys/ip_text.h"
#include "sys/proc_files.h"
#include "sys/processes.h"

namespace certrebind {

namespace {

constexpr std::string_view kListens = "0A";            // TCP socket state LISTEN
constexpr std::string_view kAcceptsFlag = "00010000";  // __SO_ACCEPTCON of a UNIX socket

bool is_v4(const Ip& ip) {
  static constexpr Ip kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
  return std::equal(kMapped.begin(), kMapped.begin() + 12, ip.begin());
}

bool is_wildcard(const Ip& ip) {
  return std::all_of(ip.begin() + (is_v4(ip) ? 12 : 0), ip.end(),
                     [](unsigned char byte) { return byte == 0; });
}

std::string text_of(const Ip& ip) {
  char text[INET6_ADDRSTRLEN] = "";
  const bool v4 = is_v4(ip);
  ::inet_ntop(v4 ? AF_INET : AF_INET6, ip.data() + (v4 ? 12 : 0), text, sizeof text);
  return text;
}

// Parses "0100007F:01BB": four-byte words in host byte order, and the port.
std::optional<std::pair<Ip, uint16_t>> local_of(std::string_view text) {
  size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  Ip ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
  size_t at = colon == 8 ? 12 : 0;
  for (size_t begin = 0; begin < colon; begin += 8, at += 4) {
    uint32_t word = 0;
    std::from_chars(text.data() + begin, text.data() + begin + 8, word, 16);
    std::memcpy(ip.data() + at, &word, sizeof word);
  }
  uint16_t port = 0;
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), port, 16);
  return std::pair(ip, port);
}

// How specifically a socket's address matches the target address; 0: not at all. The order is that
// of the kernel's lookup: the exact address, then a wildcard of the same family, then the IPv6
// wildcard.
int fits(const Ip& bound, bool bound_in_v6_table, const Ip& wanted) {
  if (bound == wanted) return 4;
  if (!is_wildcard(bound)) return 0;
  if (is_v4(bound)) return is_v4(wanted) ? 3 : 0;
  if (!bound_in_v6_table) return 0;
  return is_v4(wanted) ? 2 : 3;
}

std::vector<ListeningSocket> tcp_listeners(int near, const Address& address) {
  auto wanted = ip_of(address.host);
  if (!wanted) return {};
  std::vector<ListeningSocket> best;
  int best_fit = 1;
  for (const char* table : {"net/tcp", "net/tcp6"}) {
    const std::string text = read_or_empty(proc(near, table));
    for (const std::string& line : split(text, '\n')) {
      if (line.find(kListens) == std::string::npos) continue;
      std::vector<std::string> words = words_of(line);
      if (words.size() < 10 || words[3] != kListens) continue;
      auto local = local_of(words[1]);
      if (!local || local->second != address.port) continue;
      const int fit = fits(local->first, std::string_view(table) == "net/tcp6", *wanted);
      if (fit < best_fit) continue;
      if (fit > best_fit) best.clear();
      best_fit = fit;
      best.push_back(
          {.inode = std::strtoull(words[9].c_str(), nullptr, 10),
           .address = {.host = text_of(local->first), .port = address.port, .unix_path = {}}});
    }
  }
  return best;
}

std::vector<ListeningSocket> unix_listeners(int near, const Address& address) {
  std::vector<ListeningSocket> found;
  for (const std::string& line : split(read_or_empty(proc(near, "net/unix")), '\n')) {
    std::vector<std::string> words = words_of(line);
    if (words.size() < 8 || words[3] != kAcceptsFlag) continue;
    size_t path = line.find(words[6]) + words[6].size() + 1;
    if (path > line.size() || line.substr(path) != address.unix_path) continue;
    found.push_back({.inode = std::strtoull(words[6].c_str(), nullptr, 10), .address = address});
  }
  return found;
}

// The descriptors of a process that refer to one of these sockets: number and inode.
std::vector<std::pair<std::string, uint64_t>> descriptors_of(int pid,
                                                             const std::set<uint64_t>& sockets) {
  constexpr std::string_view kSocket = "socket:[";
  std::vector<std::pair<std::string, uint64_t>> found;
  auto entries = Disk().list(proc(pid, "fd"));
  if (!entries) return found;
  for (const std::string& entry : *entries) {
    const std::string target = link_or_empty(proc(pid, "fd/") + entry);
    if (!target.starts_with(kSocket)) continue;
    const uint64_t inode = std::strtoull(target.c_str() + kSocket.size(), nullptr, 10);
    if (sockets.contains(inode)) found.emplace_back(entry, inode);
  }
  return found;
}

// True if one of the process's epoll instances watches the descriptor (fdinfo in proc(5)).
bool is_polled(int pid, const std::string& descriptor) {
  auto entries = Disk().list(proc(pid, "fd"));
  if (!entries) return false;
  for (const std::string& entry : *entries) {
    if (link_or_empty(proc(pid, "fd/") + entry) != "anon_inode:[eventpoll]") continue;
    for (const std::string& line : split(read_or_empty(proc(pid, "fdinfo/") + entry), '\n')) {
      std::vector<std::string> words = words_of(line);
      if (words.size() > 1 && words[0] == "tfd:" && words[1] == descriptor) return true;
    }
  }
  return false;
}

using Waits = SocketHolder::Waits;

// Judges by the system call that a thread is in (proc(5)). The descriptors passed to select(2),
// poll(2) and accept(2) are not checked: a thread in one of them most likely waits for connections.
// The descriptors of epoll instances are checked elsewhere, but a server may remove its socket from
// one for a while.
Waits waits_in(const std::string& call) {
  static constexpr long kSurely[] = {SYS_accept,
#ifdef SYS_accept4
                                     SYS_accept4,
#endif
#ifdef SYS_poll
                                     SYS_poll,
#endif
#ifdef SYS_select
                                     SYS_select,
#endif
                                     SYS_ppoll,   SYS_pselect6};
  static constexpr long kPerhaps[] = {
#ifdef SYS_epoll_wait
      SYS_epoll_wait,
#endif
      SYS_epoll_pwait};
  if (call.starts_with("running")) return Waits::perhaps;
  char* end = nullptr;
  const long number = std::strtol(call.c_str(), &end, 10);
  if (end == call.c_str()) return Waits::no;
  if (std::ranges::find(kSurely, number) != std::end(kSurely)) return Waits::yes;
  return std::ranges::find(kPerhaps, number) != std::end(kPerhaps) ? Waits::perhaps : Waits::no;
}

Waits waits_for(int pid, const std::string& descriptor) {
  if (is_polled(pid, descriptor)) return Waits::yes;
  Waits most = Waits::no;
  for (const std::string& thread :
       Disk().list(proc(pid, "task")).value_or(std::vector<std::string>()))
    most = std::max(most, waits_in(read_or_empty(proc(pid, "task/") + thread + "/syscall")));
  return most;
}

}  // namespace

Result<std::vector<ListeningSocket>> SystemProcessTable::listeners_at(
    int near, const Address& address) const {
  return address.unix_path.empty() ? tcp_listeners(near, address) : unix_listeners(near, address);
}

Result<std::vector<SocketHolder>> SystemProcessTable::holders(
    const std::set<uint64_t>& sockets) const {
  auto entries = Disk().list("/proc");
  if (!entries) return pass(entries);
  std::vector<SocketHolder> found;
  for (const std::string& entry : *entries) {
    const auto pid = whole_number<int>(entry);
    if (!pid) continue;
    auto held = descriptors_of(*pid, sockets);
    if (held.empty()) continue;
    auto process = find(*pid);
    if (!process) continue;
    for (const auto& [descriptor, inode] : held)
      found.push_back({.process = *process, .inode = inode, .waits = waits_for(*pid, descriptor)});
  }
  return found;
}

}  // namespace certrebind
