#include "service/ip_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <vector>

#include "base/text.h"

namespace certrebind {

namespace {

using Groups = std::vector<uint16_t>;

std::optional<unsigned> number(std::string_view text, int base, unsigned most) {
  unsigned value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

std::optional<std::array<unsigned, 4>> octets(std::string_view text) {
  std::vector<std::string> parts = split(text, '.');
  std::array<unsigned, 4> values{};
  if (parts.size() != values.size()) return std::nullopt;
  for (size_t i = 0; i < values.size(); ++i) {
    auto value = number(parts[i], 10, 255);
    if (!value) return std::nullopt;
    values[i] = *value;
  }
  return values;
}

// "1:2:3" or "ffff:127.0.0.1"; none for an empty text.
std::optional<Groups> groups(std::string_view text) {
  Groups values;
  if (text.empty()) return values;
  std::vector<std::string> parts = split(text, ':');
  for (const std::string& part : parts) {
    if (auto v4 = &part == &parts.back() ? octets(part) : std::nullopt) {
      values.push_back(static_cast<uint16_t>((*v4)[0] << 8 | (*v4)[1]));
      values.push_back(static_cast<uint16_t>((*v4)[2] << 8 | (*v4)[3]));
      continue;
    }
    auto value = part.size() > 4 ? std::nullopt : number(part, 16, 0xFFFF);
    if (!value) return std::nullopt;
    values.push_back(static_cast<uint16_t>(*value));
  }
  return values;
}

std::optional<Groups> parse_ipv6(std::string_view text) {
  size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    auto all = groups(text);
    return all && all->size() == 8 ? all : std::nullopt;
  }
  auto head = groups(text.substr(0, gap));
  auto tail = groups(text.substr(gap + 2));
  if (!head || !tail || head->size() + tail->size() > 7) return std::nullopt;
  head->resize(8 - tail->size());
  head->insert(head->end(), tail->begin(), tail->end());
  return head;
}

// The first of the longest runs of zeros, if it is longer than one group: [begin, end).
std::pair<size_t, size_t> longest_zeros(const Groups& values) {
  std::pair<size_t, size_t> longest{0, 0};
  for (size_t begin = 0; begin < values.size(); ++begin) {
    size_t end = begin;
    while (end < values.size() && values[end] == 0) ++end;
    if (end - begin > 1 && end - begin > longest.second - longest.first) longest = {begin, end};
    begin = end;
  }
  return longest;
}

std::string hex_groups(const Groups& values, size_t begin, size_t end) {
  return fmt::format("{:x}", fmt::join(values.begin() + static_cast<ptrdiff_t>(begin),
                                       values.begin() + static_cast<ptrdiff_t>(end), ":"));
}

}  // namespace

std::optional<std::string> canonical_ipv4(std::string_view text) {
  auto values = octets(text);
  if (!values) return std::nullopt;
  return fmt::format("{}", fmt::join(*values, "."));
}

std::optional<std::string> canonical_ipv6(std::string_view text) {
  auto values = parse_ipv6(text);
  if (!values) return std::nullopt;
  auto [begin, end] = longest_zeros(*values);
  if (begin == end) return hex_groups(*values, 0, 8);
  return hex_groups(*values, 0, begin) + "::" + hex_groups(*values, end, 8);
}

}  // namespace certrebind
