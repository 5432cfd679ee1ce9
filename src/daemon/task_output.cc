#include "daemon/task_output.h"

namespace certrebind {

namespace {

constexpr size_t kKept = 64 * 1024;
constexpr const char* kRemoved = "[private key removed]";
constexpr size_t kLongestLabel = 64;

struct Line {
  size_t begin = std::string::npos;
  size_t end = std::string::npos;
};

// The next "-----BEGIN … PRIVATE KEY…-----" (or END), at any position in a line.
Line key_line(const std::string& text, const std::string& word, size_t from) {
  const std::string head = "-----" + word + " ";
  for (size_t at = text.find(head, from); at != std::string::npos; at = text.find(head, at + 1)) {
    size_t label = at + head.size();
    size_t dashes = text.find("-----", label);
    if (dashes == std::string::npos || dashes - label > kLongestLabel) continue;
    if (text.substr(label, dashes - label).find("PRIVATE KEY") == std::string::npos) continue;
    return {.begin = at, .end = dashes + 5};
  }
  return {};
}

}  // namespace

std::string kept_output(std::string output) {
  std::string clean;
  size_t at = 0;
  // The beginning of the first key may be missing.
  Line first_end = key_line(output, "END", 0);
  if (first_end.end != std::string::npos && key_line(output, "BEGIN", 0).begin > first_end.begin) {
    clean = kRemoved;
    at = first_end.end;
  }
  while (true) {
    Line begin = key_line(output, "BEGIN", at);
    clean.append(output, at, begin.begin == std::string::npos ? begin.begin : begin.begin - at);
    if (begin.begin == std::string::npos) break;
    clean += kRemoved;
    at = key_line(output, "END", begin.end).end;
    if (at == std::string::npos) break;
  }
  if (clean.size() > kKept) clean.erase(0, clean.size() - kKept);
  return clean;
}

}  // namespace certrebind
