#include "cli/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace certrebind {

namespace {

constexpr size_t kContext = 3;
constexpr char kNoNewline =
    '\0';  // marks a last line without newline; no configuration contains this byte

// A run of lines that was replaced by another one.
struct LineChange {
  size_t old_begin, old_end;
  size_t new_begin, new_end;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines = split(text, '\n');
  if (lines.empty()) return lines;
  if (lines.back().empty())
    lines.pop_back();
  else
    lines.back() += kNoNewline;
  return lines;
}

// Edits of directives keep the number of lines, so lines are compared by position. If the number
// differs, everything between the first and the last difference is one change.
std::vector<LineChange> changes_of(const std::vector<std::string>& before,
                                   const std::vector<std::string>& after) {
  std::vector<LineChange> changes;
  if (before.size() == after.size()) {
    for (size_t i = 0; i < before.size(); ++i) {
      if (before[i] == after[i]) continue;
      if (!changes.empty() && changes.back().old_end == i) {
        changes.back().old_end = changes.back().new_end = i + 1;
      } else {
        changes.push_back({i, i + 1, i, i + 1});
      }
    }
    return changes;
  }
  size_t shared = std::min(before.size(), after.size()), head = 0, tail = 0;
  while (head < shared && before[head] == after[head]) ++head;
  while (tail < shared - head && before[before.size() - 1 - tail] == after[after.size() - 1 - tail])
    ++tail;
  return {{head, before.size() - tail, head, after.size() - tail}};
}

void add_lines(std::string& text, char mark, const std::vector<std::string>& lines, size_t begin,
               size_t end) {
  for (size_t i = begin; i < end; ++i) {
    std::string_view line = lines[i];
    bool returns = line.ends_with('\r');  // harmless to a terminal, and `patch` needs it
    if (returns) line.remove_suffix(1);
    bool ends = line.empty() || line.back() != kNoNewline;
    if (!ends) line.remove_suffix(1);
    text += mark + printable(std::string(line)) + (returns ? "\r\n" : "\n");
    if (!ends) text += "\\ No newline at end of file\n";
  }
}

std::string hunk(const std::vector<LineChange>& changes, size_t first, size_t last,
                 const std::vector<std::string>& before, const std::vector<std::string>& after) {
  size_t lead = std::min(kContext, changes[first].old_begin);
  size_t begin = changes[first].old_begin - lead;
  size_t end = std::min(before.size(), changes[last].old_end + kContext);
  size_t new_begin = changes[first].new_begin - lead;
  size_t new_end = changes[last].new_end + (end - changes[last].old_end);
  // An empty side is numbered by the line before it.
  auto first_line = [](size_t from, size_t to) { return from == to ? from : from + 1; };
  std::string text = fmt::format("@@ -{},{} +{},{} @@\n", first_line(begin, end), end - begin,
                                 first_line(new_begin, new_end), new_end - new_begin);
  size_t at = begin;
  for (size_t i = first; i <= last; ++i) {
    add_lines(text, ' ', before, at, changes[i].old_begin);
    add_lines(text, '-', before, changes[i].old_begin, changes[i].old_end);
    add_lines(text, '+', after, changes[i].new_begin, changes[i].new_end);
    at = changes[i].old_end;
  }
  add_lines(text, ' ', before, at, end);
  return text;
}

}  // namespace

std::string unified_diff(const std::string& path, const std::string& before,
                         const std::string& after) {
  if (before == after) return {};
  std::vector<std::string> old_lines = lines_of(before), new_lines = lines_of(after);
  std::vector<LineChange> changes = changes_of(old_lines, new_lines);
  std::string text = fmt::format("--- {}\n+++ {}\n", printable(path), printable(path));
  for (size_t first = 0; first < changes.size();) {
    size_t last = first;
    while (last + 1 < changes.size() &&
           changes[last + 1].old_begin - changes[last].old_end <= 2 * kContext)
      ++last;
    text += hunk(changes, first, last, old_lines, new_lines);
    first = last + 1;
  }
  return text;
}

}  // namespace certrebind
