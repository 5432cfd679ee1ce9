#include "service/described/addresses.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/number.h"
#include "base/text.h"
#include "sys/ip_text.h"

namespace certrebind::described {

namespace {

// Of /etc/services, the names under which mail servers and directories listen.
constexpr std::array<std::pair<std::string_view, uint16_t>, 17> kServices = {
    {{"smtp", 25},
     {"submission", 587},
     {"submissions", 465},
     {"smtps", 465},
     {"ssmtp", 465},
     {"imap", 143},
     {"imap2", 143},
     {"imaps", 993},
     {"pop3", 110},
     {"pop3s", 995},
     {"sieve", 4190},
     {"ldap", 389},
     {"ldaps", 636},
     {"ftp", 21},
     {"ftps", 990},
     {"https", 443},
     {"xmpp-client", 5222}}};

bool is_every_address(const std::string& host) {
  constexpr std::array<std::string_view, 5> kAll = {"", "*", "all", "any", "0"};
  return std::ranges::find(kAll, host) != kAll.end();
}

// "[::1]:443", "127.0.0.1:443", "::1@853", ":443", "443".
std::pair<std::string, std::string> host_and_port(const std::string& text) {
  if (whole_number<uint16_t>(text)) return {"", text};
  size_t mark = text.rfind('@');
  if (mark == text.npos) mark = text.rfind(':');
  if (mark == text.npos || text.ends_with(']')) return {text, ""};
  return {text.substr(0, mark), text.substr(mark + 1)};
}

// "ldaps://HOST:PORT/x"; without a port it has that of the scheme.
std::pair<std::string, std::string> host_and_port_of_url(const std::string& text) {
  const size_t end = text.find("://");
  const std::string scheme = end == text.npos ? "" : text.substr(0, end);
  const std::string rest = end == text.npos ? text : text.substr(end + 3);
  auto [host, port] = host_and_port(rest.substr(0, rest.find('/')));
  return {host, port.empty() ? scheme : port};
}

std::string without_brackets(std::string host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

void add_host(const std::string& host, uint16_t port, HostNames& hosts, ListenText& into) {
  if (is_every_address(host)) {
    into.addresses.push_back({"0.0.0.0", port, ""});
  } else if (host == "::*") {
    into.addresses.push_back({"::", port, ""});
  } else if (host == "loopback-only") {
    into.addresses.push_back({"127.0.0.1", port, ""});
  } else if (auto v4 = canonical_ipv4(host)) {
    into.addresses.push_back({*v4, port, ""});
  } else if (auto v6 = canonical_ipv6(host)) {
    into.addresses.push_back({*v6, port, ""});
  } else {
    for (const std::string& address : hosts.addresses(to_lower(host)))
      into.addresses.push_back({address, port, ""});
    if (into.addresses.empty()) into.problem = "no address of " + printable(host) + " is known";
  }
}

}  // namespace

std::optional<uint16_t> port_number(const std::string& text) {
  if (auto number = whole_number<uint16_t>(text)) return number;
  for (const auto& [name, number] : kServices)
    if (name == text) return number;
  return std::nullopt;
}

std::vector<ListenText> parse_addresses(const std::string& addresses, const std::string& port,
                                        HostNames& hosts) {
  std::string blanks = addresses;
  std::ranges::replace(blanks, ',', ' ');
  std::vector<std::string> words = split(blanks, ' ');
  std::erase(words, "");
  if (words.empty()) words.push_back(port.empty() ? "" : "*");
  std::vector<ListenText> found;
  for (const std::string& word : words) {
    if (word.empty()) continue;
    auto [host, number] = port.empty() ? host_and_port_of_url(word) : std::pair(word, port);
    host = without_brackets(host);
    // Redis: an address that may be missing.
    if (host.starts_with('-') && host.size() > 1) host = host.substr(1);
    auto bound = port_number(number);
    ListenText listen;
    listen.text = (host.empty() ? "*" : host) + ":" + number;
    if (bound && *bound == 0) continue;  // switched off
    if (bound)
      add_host(host, *bound, hosts, listen);
    else
      listen.problem = "'" + printable(number) + "' is not a port";
    found.push_back(std::move(listen));
  }
  return found;
}

}  // namespace certrebind::described
