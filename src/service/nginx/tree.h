// The directives of one configuration file, with their positions. Accepts any text: a file that
// nginx would reject still gives a tree, and a list of errors.
//
// Does not use base/result.h; lexer.h says why.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/nginx/lexer.h"

namespace certrebind::nginx {

// A word of a directive, bytes [begin, end) as written, quotes included.
struct Word {
  std::string_view value;
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t line = 0;
  uint32_t column = 0;
};

// One directive. Directives are in one array, a block before its content: the content of the block
// at index i is [i + 1, next).
struct Directive {
  uint32_t first_word = 0;
  uint32_t word_count = 0;  // 0 only for a "{" without a name, which nginx rejects
  uint32_t next = 0;        // index of the next directive on the same level
  uint32_t end = 0;         // after its ";" or, for a block, its "{"
  uint32_t end_line = 0;    // the line that nginx names in an error about this directive
  bool block = false;
};

class Tree {
 public:
  // Takes and stores the text. Every view of the tree points into it, also after a move.
  explicit Tree(std::string text);

  const std::string& text() const { return *text_; }
  const std::vector<Directive>& directives() const { return directives_; }
  const std::vector<SyntaxError>& errors() const { return errors_; }

  // All words, the name first. Never empty: a nameless block has one empty word.
  std::span<const Word> words(const Directive& directive) const;
  std::span<const Word> arguments(const Directive& directive) const;
  const Word& name(const Directive& directive) const;

 private:
  void parse();
  void add(uint32_t first_word, const Token& stop);
  void open(Lexer& lexer, uint32_t first_word, const Token& brace);
  void close(Lexer& lexer, uint32_t first_word, const Token& brace);
  void finish(Lexer& lexer, uint32_t first_word, const Token& end);

  std::unique_ptr<const std::string> text_;
  DecodedWords decoded_;
  std::vector<Word> words_;
  std::vector<Directive> directives_;
  std::vector<SyntaxError> errors_;
  std::vector<uint32_t> open_;  // the blocks that are still open
};

}  // namespace certrebind::nginx
