// Splits one line of an HAProxy configuration file into words, with their positions, exactly as
// HAProxy 2.6 does. Never fails: text that HAProxy would reject is reported.
//
// Does not use base/result.h, so that compilers without std::expected can build a fuzzer from it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace certrebind::haproxy {

// One argument, bytes [begin, end) of the line as written, quotes included.
struct Word {
  std::string value;   // its value: quotes, escapes and variables resolved
  uint32_t begin = 0;  // offset in the line
  uint32_t end = 0;
  bool expanded = false;  // contains a variable
};

struct Line {
  std::vector<Word> words;
  std::string problem;  // not empty: why HAProxy rejects the whole line
  uint32_t problem_at = 0;
};

// Looks up an environment variable, or ".FILE", ".LINE", ".SECTION".
using Variables = std::function<std::optional<std::string>(std::string_view name)>;

// HAProxy's MAX_LINE_ARGS.
inline constexpr size_t kMostWords = 64;

// Takes one line without its line end. Blanks separate words. "#" outside quotes begins a comment
// anywhere. Variables are expanded inside double quotes only. '…' is literal. A backslash escapes
// blanks, "#", quotes, itself, and in double quotes "$", and writes \n, \t, \r and \xHH.
Line read_line(std::string_view text, const Variables& variables);

// The argument for `value`: unchanged if HAProxy reads it correctly so, otherwise in single quotes,
// otherwise in double quotes with escapes.
std::string quoted(std::string_view value);

}  // namespace certrebind::haproxy
