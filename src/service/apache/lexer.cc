#include "service/apache/lexer.h"

#include <algorithm>

namespace certrebind::apache {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// isspace(3) in the C locale, like apr_isspace.
bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

size_t skip_blanks(std::string_view text, size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

// A view of a line with the origin of its bytes.
struct LineView {
  std::string_view text;
  std::span<const Piece> pieces;
};

const Piece& piece_at(const LineView& view, size_t at) {
  auto after =
      std::upper_bound(view.pieces.begin(), view.pieces.end(), at,
                       [](size_t wanted, const Piece& piece) { return wanted < piece.at; });
  return after == view.pieces.begin() ? view.pieces.front() : *(after - 1);
}

// The file offset of the byte at `at`. For replaced text, the begin of the text that it replaces.
uint32_t offset_of(const Piece& piece, size_t at) {
  if (piece.origin != Origin::written) return piece.begin;
  return std::min(piece.end, piece.begin + static_cast<uint32_t>(at - piece.at));
}

Word place(const LineView& view, size_t from, size_t to) {
  Word word;
  const Piece& first = piece_at(view, from);
  const Piece& last = piece_at(view, to == from ? from : to - 1);
  word.begin = offset_of(first, from);
  word.end = last.origin == Origin::written ? offset_of(last, to) : last.end;
  word.line = first.line;
  word.column = word.begin - first.line_begin + 1;
  for (const Piece* piece = &first; piece <= &last; ++piece)
    word.origin = std::max(word.origin, piece->origin);
  return word;
}

// Inside quotes a backslash escapes the quote and itself; outside only itself (substring_conf).
std::string_view decode(std::string_view written, char quote, DecodedWords& decoded) {
  if (written.find('\\') == std::string_view::npos) return written;
  std::string& value = decoded.emplace_front();
  for (size_t at = 0; at < written.size(); ++at) {
    bool hides = written[at] == '\\' && at + 1 < written.size() &&
                 (written[at + 1] == '\\' || (quote != 0 && written[at + 1] == quote));
    value += written[hides ? ++at : at];
  }
  return value;
}

size_t closing_quote(std::string_view text, size_t at, char quote) {
  while (at < text.size() && text[at] != quote) {
    bool hides =
        text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == quote || text[at + 1] == '\\');
    at += hides ? 2 : 1;
  }
  return at;
}

// Returns the word that begins at `at`, and moves `at` behind it (ap_getword_conf).
Word next_word(const LineView& view, size_t& at, size_t end, DecodedWords& decoded) {
  size_t from = at;
  char quote = view.text[at];
  std::string_view line = view.text.substr(0, end);
  std::string_view written;
  if (quote == '"' || quote == '\'') {
    size_t close = closing_quote(line, from + 1, quote);
    written = line.substr(from + 1, std::min(close, end) - from - 1);
    at = std::min(close + 1, end);
  } else {
    quote = 0;
    while (at < end && !is_blank(line[at])) ++at;
    written = line.substr(from, at - from);
  }
  Word word = place(view, from, at);
  word.value = decode(written, quote, decoded);
  return word;
}

void add_words(const LineView& view, size_t at, size_t end, DecodedWords& decoded,
               std::vector<Word>& words) {
  for (at = skip_blanks(view.text, at); at < end; at = skip_blanks(view.text, at))
    words.push_back(next_word(view, at, end, decoded));
}

// Adds the name of a section, which begins at `at`. Returns its end.
size_t add_name(const LineView& view, size_t at, size_t end, std::vector<Word>& words) {
  size_t name_end = at;
  while (name_end < end && !is_blank(view.text[name_end])) ++name_end;
  Word name = place(view, at, name_end);
  name.value = view.text.substr(at, name_end - at);
  words.push_back(name);
  return name_end;
}

// "</Name>": ends with its first word. httpd ignores what follows, even another closing tag
// (ap_build_config_sub).
LineKind split_closing(const LineView& view, std::vector<Word>& words) {
  size_t end = 2;
  while (end < view.text.size() && !is_blank(view.text[end])) ++end;
  add_name(view, 2, view.text[end - 1] == '>' ? end - 1 : end, words);
  return LineKind::close;
}

// "<Name arguments>": ends at the last ">". A "!" before any quote negates a condition, and is a
// word of its own, whether a blank follows it or not. In <IfVersion> it is part of the operator.
LineKind split_opening(const LineView& view, DecodedWords& decoded, std::vector<Word>& words) {
  size_t end = view.text.rfind('>');
  if (end == std::string_view::npos) end = view.text.size();
  size_t at = add_name(view, 1, end, words);
  std::string_view name = words.back().value;
  if (is_condition(name) && !same_name(name, "IfVersion")) {
    at = skip_blanks(view.text, at);
    if (at < end && view.text[at] == kNegation[0]) {
      Word negation = place(view, at, at + 1);
      negation.value = kNegation;
      words.push_back(negation);
      ++at;
    }
  }
  add_words(view, at, end, decoded, words);
  return LineKind::open;
}

LineKind split_line(const LineView& view, DecodedWords& decoded, std::vector<Word>& words) {
  if (view.text.starts_with("</")) return split_closing(view, words);
  if (view.text.starts_with('<')) return split_opening(view, decoded, words);
  add_words(view, 0, view.text.size(), decoded, words);
  return LineKind::directive;
}

// The end of the physical line that begins at `at`, without its newline, and its continuation.
struct Physical {
  size_t end = 0;   // of its content: without newline, carriage return and continuing backslash
  size_t next = 0;  // where the next line begins
  bool continues = false;
};

Physical physical_line(std::string_view text, size_t at) {
  size_t newline = text.find('\n', at);
  Physical line;
  line.end = newline == std::string_view::npos ? text.size() : newline;
  line.next = newline == std::string_view::npos ? text.size() : newline + 1;
  if (newline == std::string_view::npos) return line;
  size_t end = line.end;
  if (end > at && text[end - 1] == '\r') --end;
  if (end > at && text[end - 1] == '\\') {
    line.continues = true;
    line.end = end - 1;
  }
  return line;
}

}  // namespace

bool same_name(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, [](char a, char b) { return lower(a) == lower(b); });
}

bool is_condition(std::string_view name) {
  constexpr std::string_view kNames[] = {"IfModule", "IfDefine",    "IfVersion",
                                         "IfFile",   "IfDirective", "IfSection"};
  return std::ranges::any_of(kNames, [&](auto known) { return same_name(name, known); });
}

bool LineReader::next(RawLine& line) {
  while (position_ < text_.size())
    if (take(line)) return true;
  return false;
}

bool LineReader::take(RawLine& line) {
  line = {};
  size_t first = position_;
  line.line = line_;
  line.line_begin = static_cast<uint32_t>(position_);
  bool found = false;  // a non-blank byte
  for (bool more = true; more;) {
    Physical physical = physical_line(text_, position_);
    size_t at = position_;
    if (!found) {
      while (at < physical.end && is_blank(text_[at])) ++at;
      found = at < physical.end;
      first = at;
      line.line = line_;
      line.line_begin = static_cast<uint32_t>(position_);
    } else {
      line.continued = true;
    }
    line.end = static_cast<uint32_t>(physical.end);
    more = physical.continues && physical.next < text_.size();
    line.continued = line.continued || (physical.continues && found);
    position_ = physical.next;
    ++line_;
  }
  line.begin = static_cast<uint32_t>(first);
  while (line.end > line.begin && is_blank(text_[line.end - 1])) --line.end;
  return found && text_[first] != '#' && line.end > line.begin;
}

Source source_of(std::string_view text, const RawLine& line) {
  Source source;
  uint32_t number = line.line;
  for (size_t at = line.begin; at < line.end;) {
    Physical physical = physical_line(text, at);
    size_t end = std::min<size_t>(physical.end, line.end);
    uint32_t line_begin = at == line.begin ? line.line_begin : static_cast<uint32_t>(at);
    source.pieces.push_back({source.text.size(), static_cast<uint32_t>(at),
                             static_cast<uint32_t>(end), number, line_begin, Origin::written});
    source.text.append(text, at, end - at);
    at = physical.next;
    ++number;
  }
  if (source.pieces.empty())
    source.pieces.push_back({0, line.begin, line.begin, line.line, line.line_begin});
  return source;
}

LineKind split_words(std::string_view text, std::span<const Piece> pieces, DecodedWords& decoded,
                     std::vector<Word>& words) {
  return split_line({text, pieces}, decoded, words);
}

LineKind split_words(std::string_view text, const RawLine& line, DecodedWords& decoded,
                     std::vector<Word>& words) {
  if (!line.continued) {
    Piece whole{0, line.begin, line.end, line.line, line.line_begin};
    return split_line({text.substr(line.begin, line.end - line.begin), {&whole, 1}}, decoded,
                      words);
  }
  Source source = source_of(text, line);
  // The words are views of the joined text, so it must be stored.
  std::string& joined = decoded.emplace_front(std::move(source.text));
  return split_line({joined, source.pieces}, decoded, words);
}

}  // namespace certrebind::apache
