// The lines of an Apache httpd configuration file and their words, read as httpd 2.4 reads them
// (ap_cfg_getline, ap_getword_conf), with their places. Never fails: every text has lines.
//
// Free of base/result.h, so that a fuzzer can be built from it by compilers without std::expected.
#pragma once

#include <cstdint>
#include <forward_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace certrebind::apache {

// How the value of a word came to be.
enum class Origin : uint8_t {
  written,    // it stands there, but for quotes and continued lines
  variable,   // partly from a ${VARIABLE}
  parameter,  // partly from a parameter of a macro: another use of it has another value
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

// A run of a line's text and where it comes from.
struct Piece {
  size_t at = 0;  // where it begins in the line
  uint32_t begin = 0;
  uint32_t end = 0;  // of all of it in the file
  uint32_t line = 0;
  uint32_t line_begin = 0;  // the offset of that line in the file
  Origin origin = Origin::written;
};

// One line as httpd sees it: continued lines joined, outer blanks taken off.
struct Source {
  std::string text;
  std::vector<Piece> pieces;
};

// Where values live that differ from the text: addresses stay good when the list is moved.
using DecodedWords = std::forward_list<std::string>;

enum class LineKind : uint8_t {
  directive,
  open,   // <Name …>
  close,  // </Name>
};

// Bytes [begin, end) of the file, from the first that is no blank.
struct RawLine {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t line = 0;
  uint32_t line_begin = 0;
  bool continued = false;  // a backslash joins several lines
};

// Cuts a text into lines that are neither empty nor comments.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text.substr(0, UINT32_MAX - 1)) {}
  // False after the last.
  bool next(RawLine& line);

 private:
  bool take(RawLine& line);

  std::string_view text_;
  size_t position_ = 0;
  uint32_t line_ = 1;
};

Source source_of(std::string_view text, const RawLine& line);

// Appends a line's words, the name first, without the marks of a section: "VirtualHost" and "*:443"
// for "<VirtualHost *:443>". `text` must outlive the words. The second form takes the whole file.
LineKind split_words(std::string_view text, std::span<const Piece> pieces, DecodedWords& decoded,
                     std::vector<Word>& words);
LineKind split_words(std::string_view text, const RawLine& line, DecodedWords& decoded,
                     std::vector<Word>& words);

}  // namespace certrebind::apache
