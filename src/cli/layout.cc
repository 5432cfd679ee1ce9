#include "cli/layout.h"

#include <algorithm>

#include "base/text.h"

namespace certrebind {

namespace {

constexpr size_t kGap = 2;     // blanks between columns
constexpr size_t kIndent = 4;  // of the further lines of a row

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

// The column at which the rest of a broken line begins.
size_t hanging(std::string_view line, size_t width) {
  const size_t indent = std::min(line.find_first_not_of(' '), line.size());
  const size_t gap = line.substr(0, width / 2).rfind("  ");
  if (gap == std::string_view::npos || gap < indent) return std::min(indent + 2, width / 2);
  return columns_of(line.substr(0, gap + 2));
}

void wrap_line(std::string_view line, size_t width, std::string& text) {
  const size_t indent = std::min(line.find_first_not_of(' '), line.size());
  if (columns_of(line) <= width || line.substr(indent).starts_with("next:")) {
    text += line;
    return;
  }
  const size_t hang = hanging(line, width);
  size_t column = 0;
  bool is_first = true;  // of the words on this line of the screen
  for (size_t at = 0; at < line.size();) {
    const size_t word = std::min(line.find_first_not_of(' ', at), line.size());
    const size_t end = std::min(line.find(' ', word), line.size());
    const size_t wide = columns_of(line.substr(word, end - word));
    if (!is_first && column + (word - at) + wide > width) {
      text.append("\n").append(hang, ' ').append(line.substr(word, end - word));
      column = hang + wide;
    } else {
      text += line.substr(at, end - at);
      column += word - at + wide;
    }
    is_first = false;
    at = end;
  }
}

// How many columns from `from` on fit into one line. The last one, which is not padded, is as wide
// as its cell.
size_t fitting(const std::vector<size_t>& widths, size_t last, size_t from, size_t width) {
  size_t used = from == 0 ? 0 : kIndent;
  size_t count = 0;
  while (from + count < widths.size()) {
    const bool is_last = from + count + 1 == widths.size();
    used += (is_last ? last : widths[from + count]) + (count == 0 ? 0 : kGap);
    if (count > 0 && used > width) break;
    ++count;
  }
  return count;
}

}  // namespace

size_t columns_of(std::string_view text) {
  size_t columns = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("\x1b[")) {
      at = std::min(text.find('m', at), text.size());
    } else if (starts_character(text[at])) {
      ++columns;
    }
  }
  return columns;
}

std::string wrapped(std::string_view text, size_t width) {
  std::string whole;
  whole.reserve(text.size());
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    wrap_line(text.substr(0, end), width, whole);
    if (end < text.size()) whole += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return whole;
}

std::string table_text(const std::vector<std::vector<std::string>>& rows, size_t width) {
  std::vector<size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  std::string text;
  for (const auto& row : rows) {
    for (size_t from = 0; from < row.size();) {
      const size_t end = from + fitting(widths, columns_of(row.back()), from, width);
      if (from > 0) text.append(kIndent, ' ');
      for (size_t i = from; i + 1 < end; ++i)
        text.append(row[i]).append(widths[i] - columns_of(row[i]) + kGap, ' ');
      text.append(row[end - 1]).append("\n");
      from = end;
    }
  }
  return text;
}

}  // namespace certrebind
