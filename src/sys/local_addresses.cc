#include "sys/local_addresses.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/number.h"
#include "base/text.h"

namespace certrebind {

namespace {

constexpr size_t kLongestTable = 4u << 20;
constexpr unsigned kLocalRoute = 0x80000000;  // RTF_LOCAL

}  // namespace

std::optional<LocalAddresses> LocalAddresses::of(const Files& files, int pid) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/net/";
  auto ipv4 = files.read(directory + "fib_trie", kLongestTable);
  if (!ipv4) return std::nullopt;
  // A kernel without IPv6 has no such file.
  auto ipv6 = files.read(directory + "ipv6_route", kLongestTable);
  if (!ipv6 && ipv6.error().code != Code::not_found) return std::nullopt;
  return LocalAddresses(*ipv4, ipv6.value_or(""));
}

LocalAddresses::LocalAddresses(std::string_view fib_trie, std::string_view ipv6_route) {
  add_ipv4(fib_trie);
  add_ipv6(ipv6_route);
}

// A line "|-- 192.0.2.1", then one for each prefix: "/32 host LOCAL".
void LocalAddresses::add_ipv4(std::string_view fib_trie) {
  std::optional<Ip> ip;
  for (const std::string& line : split(fib_trie, '\n')) {
    if (size_t leaf = line.find("|-- "); leaf != std::string::npos)
      ip = ip_of(line.substr(leaf + 4));
    size_t slash = line.find('/');
    if (!ip || slash == std::string::npos || !line.ends_with(" LOCAL")) continue;
    auto bits = whole_number<size_t>(line.substr(slash + 1, line.find(' ', slash) - slash - 1));
    if (bits && *bits <= 32) networks_.push_back({*ip, 96 + *bits});
  }
}

// "DESTINATION BITS SOURCE BITS GATEWAY METRIC REFERENCES USE FLAGS DEVICE", all hexadecimal.
void LocalAddresses::add_ipv6(std::string_view ipv6_route) {
  for (const std::string& line : split(ipv6_route, '\n')) {
    std::vector<std::string> words;
    for (std::string& word : split(line, ' '))
      if (!word.empty()) words.push_back(std::move(word));
    if (words.size() < 10 || words[0].size() != 32) continue;
    auto bits = whole_number<size_t>(words[1], 16);
    auto flags = whole_number<unsigned>(words[8], 16);
    if (!bits || *bits > 128 || !flags || (*flags & kLocalRoute) == 0) continue;
    Ip ip{};
    for (size_t i = 0; i < ip.size(); ++i)
      ip[i] = whole_number<unsigned char>(words[0].substr(2 * i, 2), 16).value_or(0);
    networks_.push_back({ip, *bits});
  }
}

bool LocalAddresses::has(const std::string& host) const {
  auto ip = ip_of(host);
  if (!ip) return true;  // not an address that could be absent
  return std::ranges::any_of(networks_, [&](const Network& network) {
    for (size_t bit = 0; bit < network.bits; bit += 8) {
      const size_t left = std::min<size_t>(8, network.bits - bit);
      const auto mask = static_cast<unsigned char>(0xff << (8 - left));
      if (((*ip)[bit / 8] & mask) != (network.ip[bit / 8] & mask)) return false;
    }
    return true;
  });
}

}  // namespace certrebind
