// Fits text into the width of the screen. A width is in columns; every character takes one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certrebind {

// Colours (SGR of ECMA-48) take no room.
size_t columns_of(std::string_view text);

// Breaks lines at blanks so that none is wider, where a word is not wider itself. What follows a
// break stands under the text: behind the last gap of two blanks in the first half of the line,
// else two columns behind the line's own indentation. A line that begins with `next:` stays whole,
// because it is pasted.
std::string wrapped(std::string_view text, size_t width);

// Rows of cells under headings. Columns are as wide as needed; the last one is not padded. Where a
// row is wider than `width`, its last cells go to lines of their own: in all rows alike, but for
// the last cell, which does so only where it does not fit.
std::string table_text(const std::vector<std::vector<std::string>>& rows, size_t width);

}  // namespace certrebind
