// Any bytes as an nginx configuration: the lexer and the tree must stand them, and account for
// every byte.
//
//   clang++-14 -g -O1 -std=c++2b -fsanitize=fuzzer,address,undefined -Isrc
//       tests/fuzz/nginx_lexer_fuzz.cc src/service/nginx/lexer.cc src/service/nginx/lua_block.cc
//       src/service/nginx/tree.cc -o /tmp/nginx_lexer_fuzz
//   /tmp/nginx_lexer_fuzz -max_total_time=60 /tmp/found tests/corpus/nginx
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "service/nginx/lexer.h"
#include "service/nginx/tree.h"

namespace {

using namespace certrebind::nginx;

void require(bool holds) {
  if (!holds) std::abort();
}

// Between tokens lie blanks and whole comments only.
void check_gap(std::string_view gap) {
  for (size_t at = 0; at < gap.size(); ++at) {
    if (gap[at] == '#') {
      at = gap.find('\n', at);
      if (at == std::string_view::npos) return;
    }
    require(std::string_view(" \t\r\n").find(gap[at]) != std::string_view::npos);
  }
}

void check_token(std::string_view text, const Token& token) {
  std::string_view written = text.substr(token.begin, token.end - token.begin);
  if (token.kind == TokenKind::semicolon) require(written == ";");
  if (token.kind == TokenKind::open) require(written == "{");
  if (token.kind == TokenKind::close) require(written == "}");
  if (token.kind != TokenKind::word) return;
  require(!written.empty() && token.value.size() <= written.size());
  size_t line_start = text.substr(0, token.begin).rfind('\n') + 1;  // npos + 1 is 0
  require(token.column == token.begin - line_start + 1);
}

void check_lexer(std::string_view text) {
  DecodedWords decoded;
  std::vector<SyntaxError> errors;
  Lexer lexer(text, decoded, errors);
  uint32_t last = 0;
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    require(last <= token.begin && token.begin <= token.end && token.end <= text.size());
    check_gap(text.substr(last, token.begin - last));
    check_token(text, token);
    last = token.end;
  }
  check_gap(text.substr(last));
  require(lexer.next().kind == TokenKind::end && errors.size() <= kMostErrors);
}

void check_tree(std::string_view text) {
  Tree tree{std::string(text)};
  require(tree.text() == text);
  uint32_t last = 0;
  for (size_t i = 0; i < tree.directives().size(); ++i) {
    const Directive& directive = tree.directives()[i];
    require(directive.next > i && directive.next <= tree.directives().size());
    require(directive.block || directive.next == i + 1);
    for (const Word& word : tree.words(directive)) {
      if (directive.word_count == 0) continue;
      require(last <= word.begin && word.begin < word.end && word.end <= text.size());
      last = word.end;
    }
    require(last <= directive.end && directive.end <= text.size());
    last = directive.end;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  check_lexer(text);
  check_tree(text);
  return 0;
}
