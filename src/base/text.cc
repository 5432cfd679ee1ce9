#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

namespace certrebind {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The length of the valid UTF-8 sequence at `at`, or 0 (RFC 3629: no overlongs, no surrogates).
size_t utf8_length(std::string_view bytes, size_t at) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  unsigned char first = byte(at);
  if (first < 0x80) return 1;
  size_t length = first >= 0xC2 && first < 0xE0   ? 2
                  : first >= 0xE0 && first < 0xF0 ? 3
                  : first >= 0xF0 && first < 0xF5 ? 4
                                                  : 0;
  if (length == 0 || at + length > bytes.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  unsigned char second = byte(at + 1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
      (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F))
    return 0;
  return length;
}

// True for characters that affect a terminal, or how the surrounding text is read: controls (also
// those of U+0080 to U+009F), line separators, and those that change the writing direction (Unicode
// 15, Bidi_Control). `sequence` is valid UTF-8.
bool is_control(std::string_view sequence) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
  if (sequence.size() == 2)
    return (byte(0) == 0xC2 && byte(1) < 0xA0) || sequence == "\xD8\x9C";          // U+061C
  if (sequence.size() != 3 || byte(0) != 0xE2) return sequence == "\xEF\xBB\xBF";  // U+FEFF
  if (byte(1) == 0x80)  // U+200B, U+200E, U+200F, U+2028 to U+202E
    return byte(2) == 0x8B || byte(2) == 0x8E || byte(2) == 0x8F ||
           (byte(2) >= 0xA8 && byte(2) <= 0xAE);
  return byte(1) == 0x81 && byte(2) >= 0xA0 && byte(2) <= 0xAF;  // U+2060 to U+206F
}

// Keeps every sequence that `wanted` accepts. Replaces each byte of all others by the result of
// `instead`.
template <class Wanted, class Instead>
std::string filtered(std::string_view bytes, Wanted wanted, Instead instead) {
  std::string text;
  text.reserve(bytes.size());
  for (size_t at = 0; at < bytes.size();) {
    size_t length = utf8_length(bytes, at);
    std::string_view sequence = bytes.substr(at, std::max<size_t>(length, 1));
    if (length > 0 && wanted(sequence)) {
      text += sequence;
    } else {
      text += instead(sequence);
    }
    at += sequence.size();
  }
  return text;
}

// The code point of a valid UTF-8 sequence of at most three bytes. An invalid byte stands for
// itself.
uint32_t code_point(std::string_view sequence) {
  auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(sequence[i]));
  };
  if (sequence.size() == 1) return byte(0);
  if (sequence.size() == 2) return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
  return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
}

std::string as_hex(std::string_view sequence) {
  std::string text;
  for (char c : sequence)
    text += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return text;
}

// The number of letters to change, add or remove (Levenshtein distance).
size_t edits_between(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t k = 0; k < to.size(); ++k) {
      const size_t changed = diagonal + (from[i] == to[k] ? 0 : 1);
      diagonal = std::exchange(row[k + 1], std::min({row[k + 1] + 1, row[k] + 1, changed}));
    }
  }
  return row.back();
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (unsigned char byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::string to_lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) c = lower(c);
  return lowered;
}

std::string_view trim(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string joined;
  for (const std::string& part : parts) {
    if (&part != &parts.front()) joined += separator;
    joined += part;
  }
  return joined;
}

std::string joined_lines(std::string_view text) {
  return join(split(trim(text), '\n'), "; ");
}

std::string few_of(const std::vector<std::string>& parts, size_t most) {
  if (parts.size() <= most) return printable(join(parts, ", "));
  std::vector<std::string> first(parts.begin(), parts.begin() + static_cast<ptrdiff_t>(most));
  return fmt::format("{} and {} more", printable(join(first, ", ")), parts.size() - most);
}

std::string count_of(size_t count, std::string_view one, std::string_view many) {
  if (count == 1) return fmt::format("1 {}", one);
  return many.empty() ? fmt::format("{} {}s", count, one) : fmt::format("{} {}", count, many);
}

std::string parent_directory(std::string_view path) {
  size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string file_name(std::string_view path) {
  size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string absolute_in(std::string_view directory, std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  std::string joined(directory);
  if (!joined.ends_with('/')) joined += '/';
  return joined.append(path);
}

std::string normalized(std::string_view path) {
  std::vector<std::string> kept;
  for (std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      kept.push_back(std::move(part));
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string text = path.starts_with('/') ? "/" : "";
  return text + join(kept, "/");
}

bool is_within(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.starts_with('/');
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

// Backtracks to the last star only, because everything before it matches already.
std::string closest_to(std::string_view typed, const std::vector<std::string>& words) {
  std::string closest;
  size_t least = 3;
  for (const std::string& word : words)
    if (size_t edits = edits_between(typed, word); edits < least && edits < word.size()) {
      least = edits;
      closest = word;
    }
  return closest;
}

bool fits(std::string_view pattern, std::string_view text) {
  constexpr size_t kNone = std::string_view::npos;
  size_t star = kNone, taken = 0, in_pattern = 0, in_text = 0;
  while (in_text < text.size()) {
    char wanted = in_pattern < pattern.size() ? pattern[in_pattern] : '\0';
    if (wanted == '*') {
      star = in_pattern++;
      taken = ++in_text;
    } else if (wanted == text[in_text] && in_pattern < pattern.size()) {
      ++in_pattern;
      ++in_text;
    } else if (star != kNone) {
      in_pattern = star + 1;
      in_text = ++taken;
    } else {
      return false;
    }
  }
  return in_pattern == pattern.size();
}

std::string shell_quoted(std::string_view word) {
  const bool is_plain =
      !word.empty() && word.front() != '=' && std::ranges::all_of(word, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("/._-+=:,@%").find(c) != std::string_view::npos;
      });
  if (is_plain) return std::string(word);
  std::string quoted = "'";
  for (char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string printable(std::string_view bytes) {
  // Fast path: text is nearly always plain ASCII, and this runs for every cell of a table.
  if (std::ranges::all_of(bytes, [](char c) { return c >= ' ' && c < '\x7f'; }))
    return std::string(bytes);
  return filtered(
      bytes, [](std::string_view sequence) { return !is_control(sequence); }, as_hex);
}

std::string printable_lines(std::string_view bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size();) {
    size_t end = bytes.find("\x1b[", at);
    text += filtered(
        bytes.substr(at, end - at),
        [](std::string_view sequence) {
          return sequence == "\n" || sequence == "\t" || !is_control(sequence);
        },
        as_hex);
    if (end == std::string_view::npos) break;
    size_t close = bytes.find_first_not_of("0123456789;", end + 2);
    bool is_colour = close != std::string_view::npos && bytes[close] == 'm';
    at = is_colour ? close + 1 : end + 1;
    text += is_colour ? std::string(bytes.substr(end, at - end)) : as_hex("\x1b");
  }
  return text;
}

std::string escaped_json(std::string_view json) {
  return filtered(
      json, [](std::string_view sequence) { return sequence == "\n" || !is_control(sequence); },
      [](std::string_view sequence) { return fmt::format("\\u{:04x}", code_point(sequence)); });
}

}  // namespace certrebind
