#include "service/haproxy/crt_list.h"

#include "base/text.h"

namespace certrebind::haproxy {

namespace {

constexpr std::string_view kListBlanks = " \t\r\v\f";

std::vector<Word> words_of(std::string_view line) {
  std::vector<Word> words;
  size_t at = line.find_first_not_of(kListBlanks);
  while (at != std::string_view::npos) {
    size_t end = std::min(line.find_first_of(kListBlanks, at), line.size());
    words.push_back({std::string(line.substr(at, end - at)), static_cast<uint32_t>(at),
                     static_cast<uint32_t>(end), false});
    at = line.find_first_not_of(kListBlanks, end);
  }
  return words;
}

// "[alpn", "h2]", "[", "]": options are between brackets, which may adjoin them.
void sort_words(const std::vector<Word>& words, ListEntry& entry) {
  bool in_options = false;
  for (size_t i = 1; i < words.size(); ++i) {
    std::string_view word = words[i].value;
    if (!in_options && word.starts_with('[')) {
      in_options = true;
      word.remove_prefix(1);
    }
    if (!in_options) {
      entry.filters.push_back(to_lower(word));
      continue;
    }
    bool last = word.ends_with(']');
    if (last) word.remove_suffix(1);
    if (!word.empty()) entry.options.emplace_back(word);
    if (last) in_options = false;
  }
}

}  // namespace

List parse_list(const ConfigFile& file) {
  List list;
  Place place{&file, 0, 0};
  std::string_view text = file.text;
  while (place.begin < text.size()) {
    ++place.line;
    size_t end = text.find('\n', place.begin);
    if (end == std::string_view::npos) {
      list.diagnostics.push_back(diagnostic_at(
          Severity::error, place, 1, "the last line has no end: HAProxy takes it for cut off"));
      end = text.size();
    }
    std::vector<Word> words = words_of(text.substr(place.begin, end - place.begin));
    if (!words.empty() && !words[0].value.starts_with('#')) {
      ListEntry entry{place, words[0], {}, {}};
      sort_words(words, entry);
      list.entries.push_back(std::move(entry));
    }
    place.begin = end + 1;
  }
  return list;
}

}  // namespace certrebind::haproxy
