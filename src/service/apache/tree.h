// The lines of one configuration file with their sections. Accepts any text: a file that httpd
// would reject still gives a tree, and a list of errors.
//
// Does not use base/result.h; lexer.h says why.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/apache/lexer.h"

namespace certrebind::apache {

// A directive, or the opening of a section. Lines are in one array, a section before its content:
// the content of the section at index i is [i + 1, next).
struct Line {
  RawLine raw;
  uint32_t first_word = 0;
  uint32_t word_count = 0;
  uint32_t next = 0;  // index of the next line on the same level
  bool section = false;
  bool variables = false;  // contains "${"
  bool unclosed = false;   // a condition that ends with the file
};

// A section that is not closed, or closed but never opened. A condition that is not closed is none:
// httpd accepts it if the condition is true.
struct SyntaxError {
  uint32_t at = 0;  // index of the line concerned, or of the line after the error
  uint32_t line = 0;
  uint32_t column = 0;
  std::string message;
};

class Tree {
 public:
  // Takes and stores the text. Every view of the tree points into it, also after a move.
  explicit Tree(std::string text);

  const std::string& text() const { return *text_; }
  const std::vector<Line>& lines() const { return lines_; }
  const std::vector<SyntaxError>& errors() const { return errors_; }

  // All words, the name first; never empty.
  std::span<const Word> words(const Line& line) const {
    return std::span(words_).subspan(line.first_word, line.word_count);
  }

 private:
  void parse();
  void close(const Word& name);
  void report(uint32_t at, const Word& where, std::string message);

  std::unique_ptr<const std::string> text_;
  DecodedWords decoded_;
  std::vector<Word> words_;
  std::vector<Line> lines_;
  std::vector<SyntaxError> errors_;
  std::vector<uint32_t> open_;  // the sections that are still open
};

}  // namespace certrebind::apache
