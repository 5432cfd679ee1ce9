// Any bytes as an httpd configuration: the lexer, the tree and what is put into lines must stand
// them, and account for where each word stands.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "service/apache/tree.h"
#include "service/apache/variables.h"

namespace {

using namespace certrebind::apache;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_word(std::string_view text, const Word& word) {
  require(word.begin <= word.end && word.end <= text.size());
  require(word.line >= 1 && word.column >= 1);
  size_t line_start = text.substr(0, word.begin).rfind('\n') + 1;  // npos + 1 is 0
  require(word.column == word.begin - line_start + 1);
  require(word.origin != Origin::written || word.value.size() <= word.end - word.begin);
}

void check_tree(std::string_view text) {
  Tree tree{std::string(text)};
  require(tree.text() == text);
  uint32_t last = 0;
  const auto& lines = tree.lines();
  for (size_t i = 0; i < lines.size(); ++i) {
    require(lines[i].next > i && lines[i].next <= lines.size());
    require(lines[i].section || lines[i].next == i + 1);
    require(lines[i].word_count > 0 && lines[i].raw.begin >= last);
    for (const Word& word : tree.words(lines[i])) {
      require(word.begin >= last);
      check_word(text, word);
      last = word.end;
    }
  }
}

// Variables and parameters whose values have blanks, quotes and nothing.
void check_replacements(std::string_view text) {
  LineReader reader(text);
  for (RawLine raw; reader.next(raw);) {
    std::vector<std::string> unknown;
    Source source = source_of(text, raw);
    source = with_parameters(source, {"$a", "$ab", "%x"}, {"", "one two", "\"'\\"});
    source = with_variables(
        source,
        [](std::string_view name) {
          return name.size() % 2 ? std::optional<std::string>(std::string(name) + " \"")
                                 : std::nullopt;
        },
        unknown);
    DecodedWords decoded;
    std::vector<Word> words;
    split_words(source.text, source.pieces, decoded, words);
    for (const Word& word : words) check_word(text, word);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  check_tree(text);
  check_replacements(text);
  return 0;
}
