#include "service/nginx/tree.h"

namespace certrebind::nginx {

namespace {

const Word kNameless;

uint32_t count(const auto& row) {
  return static_cast<uint32_t>(row.size());
}

}  // namespace

Tree::Tree(std::string text) : text_(std::make_unique<const std::string>(std::move(text))) {
  // An estimate from real files, about ten bytes per word, so that the arrays rarely grow.
  words_.reserve(text_->size() / 10 + 4);
  directives_.reserve(text_->size() / 24 + 4);
  parse();
}

std::span<const Word> Tree::words(const Directive& directive) const {
  if (directive.word_count == 0) return {&kNameless, 1};
  return std::span(words_).subspan(directive.first_word, directive.word_count);
}

std::span<const Word> Tree::arguments(const Directive& directive) const {
  return words(directive).subspan(1);
}

const Word& Tree::name(const Directive& directive) const {
  return words(directive).front();
}

void Tree::parse() {
  Lexer lexer(*text_, decoded_, errors_);
  uint32_t first_word = 0;  // of the current statement
  for (Token token = lexer.next();; token = lexer.next()) {
    switch (token.kind) {
      case TokenKind::word:
        words_.push_back({token.value, token.begin, token.end, token.line, token.column});
        continue;
      case TokenKind::lua:
        continue;
      case TokenKind::semicolon:
        if (first_word == count(words_)) lexer.report(token, "unexpected \";\"");
        add(first_word, token);
        break;
      case TokenKind::open:
        open(lexer, first_word, token);
        break;
      case TokenKind::close:
        close(lexer, first_word, token);
        break;
      case TokenKind::end:
        finish(lexer, first_word, token);
        return;
    }
    first_word = count(words_);
  }
}

// Ends the statement whose words begin at `first_word`. Adds nothing if there are no words.
void Tree::add(uint32_t first_word, const Token& stop) {
  if (first_word == count(words_)) return;
  Directive directive;
  directive.first_word = first_word;
  directive.word_count = count(words_) - first_word;
  directive.next = count(directives_) + 1;
  directive.end = stop.end;
  directive.end_line = stop.line;
  directives_.push_back(directive);
}

void Tree::open(Lexer& lexer, uint32_t first_word, const Token& brace) {
  if (first_word == count(words_)) {
    lexer.report(brace, "unexpected \"{\"");
    directives_.emplace_back();  // so that its "}" has a match
    directives_.back().end = brace.end;
    directives_.back().end_line = brace.line;
  } else {
    add(first_word, brace);
  }
  directives_.back().block = true;
  open_.push_back(count(directives_) - 1);
}

void Tree::close(Lexer& lexer, uint32_t first_word, const Token& brace) {
  if (first_word != count(words_)) {
    lexer.report(brace, "unexpected \"}\": the directive before it has no \";\"");
    add(first_word, brace);
  }
  if (open_.empty()) {
    lexer.report(brace, "unexpected \"}\"");
    return;
  }
  directives_[open_.back()].next = count(directives_);
  open_.pop_back();
}

void Tree::finish(Lexer& lexer, uint32_t first_word, const Token& end) {
  if (first_word != count(words_)) {
    lexer.report(end, "unexpected end of file, expecting \";\" or \"}\"");
    add(first_word, end);
  }
  for (; !open_.empty(); open_.pop_back()) {
    Directive& block = directives_[open_.back()];
    lexer.report(end, "unexpected end of file, expecting \"}\" for the block opened at line " +
                          std::to_string(block.end_line));
    block.next = count(directives_);
  }
}

}  // namespace certrebind::nginx
