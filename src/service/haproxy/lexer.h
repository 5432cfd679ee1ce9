// The words of one line of an HAProxy configuration file, read as HAProxy 2.6 reads them, with
// their places. Never fails: what HAProxy would refuse is reported.
//
// Free of base/result.h, so that a fuzzer can be built from it by compilers without std::expected.
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
  std::string value;   // its meaning: quotes, escapes and variables resolved
  uint32_t begin = 0;  // from the start of the line
  uint32_t end = 0;
  bool expanded = false;  // a variable is in it
};

struct Line {
  std::vector<Word> words;
  std::string problem;  // not empty: why HAProxy refuses the whole line
  uint32_t problem_at = 0;
};

// The value of an environment variable, or of ".FILE", ".LINE", ".SECTION".
using Variables = std::function<std::optional<std::string>(std::string_view name)>;

// HAProxy's MAX_LINE_ARGS.
inline constexpr size_t kMostWords = 64;

// Takes one line without its end. Words stand apart by blanks; "#" outside quotes begins a comment
// anywhere. Variables count inside double quotes only; '…' is literal; a backslash escapes blanks,
// "#", quotes, itself, and in double quotes "$", and writes \n, \t, \r and \xHH.
Line read_line(std::string_view text, const Variables& variables);

// The argument that means `value`: as it stands where that is read so, else in single quotes, else
// in double quotes with escapes.
std::string quoted(std::string_view value);

}  // namespace certrebind::haproxy
