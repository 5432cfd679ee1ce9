// Any bytes as an HAProxy configuration line: the lexer must stand them, and what it reads must be
// where it says; a word that is written anew is read back.
//
//   scripts/fuzz 60
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "service/haproxy/lexer.h"

namespace {

using namespace certrebind::haproxy;

void require(bool holds) {
  if (!holds) std::abort();
}

std::optional<std::string> variable(std::string_view name) {
  if (name.size() % 3 == 0) return std::nullopt;
  return std::string(name) + " $x";
}

void check_line(std::string_view text) {
  Line line = read_line(text, variable);
  require(line.words.size() <= kMostWords + 1 && line.problem_at <= text.size());
  uint32_t last = 0;
  for (const Word& word : line.words) {
    require(word.begin <= word.end && word.end <= text.size());
    if (word.expanded) continue;
    require(last <= word.begin && word.begin < word.end);
    last = word.end;
    // As it stands there alone, it means the same.
    Line alone = read_line(text.substr(word.begin, word.end - word.begin), variable);
    if (line.problem.empty())
      require(alone.words.size() == 1 && alone.words[0].value == word.value);
  }
}

void check_quoted(std::string_view value) {
  if (value.find('\0') != std::string_view::npos) return;
  Line line = read_line(quoted(value), variable);
  require(line.problem.empty() && line.words.size() == 1 && line.words[0].value == value &&
          !line.words[0].expanded);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  size_t line_end = std::min(text.find('\n'), text.size());
  check_line(text.substr(0, line_end));
  check_quoted(text);
  return 0;
}
