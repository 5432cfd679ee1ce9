// Splits an Apache httpd configuration file into lines and words, with their positions, exactly as
// httpd 2.4 does (ap_cfg_getline, ap_getword_conf). Never fails: every text has lines.
//
// Does not use base/result.h, so that compilers without std::expected can build a fuzzer from it.
#pragma once

#include <cstdint>
#include <forward_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace certrebind::apache {

// The origin of a word's value.
enum class Origin : uint8_t {
  written,    // from the text itself, apart from quotes and continued lines
  variable,   // partly from a ${VARIABLE}
  parameter,  // partly from a macro parameter: another use of the macro gives another value
};

// A word of a line, bytes [begin, end) as written, quotes included.
struct Word {
  std::string_view value;
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t line = 0;    // from 1
  uint32_t column = 0;  // from 1, in bytes
  Origin origin = Origin::written;
};

// A run of a line's text and its position in the file.
struct Piece {
  size_t at = 0;  // offset in the line
  uint32_t begin = 0;
  uint32_t end = 0;  // of the whole run in the file
  uint32_t line = 0;
  uint32_t line_begin = 0;  // offset of that line in the file
  Origin origin = Origin::written;
};

// One line as httpd sees it: continued lines joined, surrounding blanks removed.
struct Source {
  std::string text;
  std::vector<Piece> pieces;
};

// Stores values that differ from the text. Addresses stay valid when the list is moved.
using DecodedWords = std::forward_list<std::string>;

enum class LineKind : uint8_t {
  directive,
  open,   // <Name …>
  close,  // </Name>
};

// Bytes [begin, end) of the file, from the first non-blank.
struct RawLine {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t line = 0;
  uint32_t line_begin = 0;
  bool continued = false;  // a backslash joins several lines
};

// Splits a text into lines. Skips empty lines and comments.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text.substr(0, UINT32_MAX - 1)) {}
  // False at the end.
  bool next(RawLine& line);

 private:
  bool take(RawLine& line);

  std::string_view text_;
  size_t position_ = 0;
  uint32_t line_ = 1;
};

Source source_of(std::string_view text, const RawLine& line);

// Compares names of directives and sections, ignoring case.
bool same_name(std::string_view one, std::string_view other);

// The sections that httpd evaluates while it reads.
bool is_condition(std::string_view name);
// The second word of a negated condition: "<IfModule !x>" is "IfModule", "!", "x".
inline constexpr std::string_view kNegation = "!";

// Appends a line's words, the name first, without section marks: "VirtualHost" and "*:443" for
// "<VirtualHost *:443>". `text` must outlive the words. The second form takes the whole file.
LineKind split_words(std::string_view text, std::span<const Piece> pieces, DecodedWords& decoded,
                     std::vector<Word>& words);
LineKind split_words(std::string_view text, const RawLine& line, DecodedWords& decoded,
                     std::vector<Word>& words);

}  // namespace certrebind::apache
