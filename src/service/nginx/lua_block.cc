#include "service/nginx/lua_block.h"

namespace certrebind::nginx {

namespace {

constexpr size_t kNone = std::string_view::npos;

// The length of an opening long bracket at `at` ("[[", "[==["), or 0.
size_t opening_bracket(std::string_view text, size_t at) {
  if (at >= text.size() || text[at] != '[') return 0;
  size_t end = at + 1;
  while (end < text.size() && text[end] == '=') ++end;
  return end < text.size() && text[end] == '[' ? end + 1 - at : 0;
}

// The position after the string that begins at `at`. If the string is not closed on its line, the
// position after the quote.
size_t behind_string(std::string_view text, size_t at) {
  for (size_t end = at + 1; end < text.size() && text[end] != '\n'; ++end) {
    if (text[end] == text[at]) return end + 1;
    if (text[end] == '\\' && ++end < text.size() && text[end] == '\n') break;
  }
  return at + 1;
}

// The position after the long bracket of `width` bytes that opens at `at`; kNone if it is never
// closed.
size_t behind_bracket(std::string_view text, size_t at, size_t width) {
  std::string closing = "]" + std::string(width - 2, '=') + "]";
  size_t end = text.find(closing, at + width);
  return end == kNone ? kNone : end + width;
}

size_t behind_comment(std::string_view text, size_t at) {
  if (size_t width = opening_bracket(text, at + 2)) return behind_bracket(text, at + 2, width);
  size_t end = text.find('\n', at);
  return end == kNone ? text.size() : end + 1;
}

}  // namespace

bool takes_lua_block(std::string_view directive) {
  return directive.ends_with("_by_lua_block");
}

LuaBlock lua_block(std::string_view text) {
  size_t depth = 0;
  for (size_t at = text.find_first_of("{}\"'[-"); at < text.size();
       at = text.find_first_of("{}\"'[-", at)) {
    size_t after = at + 1;
    if (text[at] == '}' && depth-- == 0) return {at, {}, 0};
    if (text[at] == '{') ++depth;
    if (text[at] == '"' || text[at] == '\'') after = behind_string(text, at);
    if (text.substr(at, 2) == "--") after = behind_comment(text, at);
    if (size_t width = opening_bracket(text, at)) after = behind_bracket(text, at, width);
    if (after == kNone) return {text.size(), "Lua code block missing the closing long bracket", at};
    at = after;
  }
  return {text.size(), "unexpected end of file, expecting \"}\" of a Lua block", text.size()};
}

}  // namespace certrebind::nginx
