#include "service/apache/tree.h"

#include <algorithm>

namespace certrebind::apache {

namespace {

// A file with this many errors is not a configuration, and more of them help nobody.
constexpr size_t kMostErrors = 100;

}  // namespace

Tree::Tree(std::string text) : text_(std::make_unique<const std::string>(std::move(text))) {
  parse();
}

void Tree::parse() {
  LineReader reader(*text_);
  for (RawLine raw; reader.next(raw);) {
    auto first = static_cast<uint32_t>(words_.size());
    LineKind kind = split_words(*text_, raw, decoded_, words_);
    if (kind == LineKind::close) {
      Word name = words_[first];
      words_.resize(first);
      close(name);
      continue;
    }
    auto index = static_cast<uint32_t>(lines_.size());
    std::string_view written = std::string_view(*text_).substr(raw.begin, raw.end - raw.begin);
    lines_.push_back({raw, first, static_cast<uint32_t>(words_.size()) - first, index + 1,
                      kind == LineKind::open, written.find("${") != std::string_view::npos});
    if (kind == LineKind::open) open_.push_back(index);
  }
  for (uint32_t index : open_) {
    lines_[index].next = static_cast<uint32_t>(lines_.size());
    const Word& name = words_[lines_[index].first_word];
    if (is_condition(name.value))
      lines_[index].unclosed = true;
    else
      report(index, name, "<" + std::string(name.value) + "> was not closed");
  }
}

// Ends the innermost section of this name. Sections that are still open inside it were never
// closed.
void Tree::close(const Word& name) {
  auto at = static_cast<uint32_t>(lines_.size());
  auto named = [&](uint32_t index) {
    return same_name(words_[lines_[index].first_word].value, name.value);
  };
  auto found = std::find_if(open_.rbegin(), open_.rend(), named);
  if (found == open_.rend())
    return report(at, name, "</" + std::string(name.value) + "> without matching section");
  auto keep = static_cast<size_t>(open_.rend() - found - 1);
  while (open_.size() > keep) {
    uint32_t index = open_.back();
    const Word& opened = words_[lines_[index].first_word];
    if (open_.size() > keep + 1)
      report(
          index, opened,
          "<" + std::string(opened.value) + "> was closed by </" + std::string(name.value) + ">");
    lines_[index].next = at;
    open_.pop_back();
  }
}

void Tree::report(uint32_t at, const Word& where, std::string message) {
  if (errors_.size() < kMostErrors)
    errors_.push_back({at, where.line, where.column, std::move(message)});
}

}  // namespace certrebind::apache
