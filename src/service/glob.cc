#include "service/glob.h"

#include <algorithm>

#include "base/text.h"

namespace certrebind {

namespace {

constexpr size_t kNone = std::string_view::npos;

bool in_class(std::string_view name, char c) {
  bool upper = c >= 'A' && c <= 'Z';
  bool lower = c >= 'a' && c <= 'z';
  bool digit = c >= '0' && c <= '9';
  bool graph = c > ' ' && c < '\x7f';
  if (name == "alpha") return upper || lower;
  if (name == "digit") return digit;
  if (name == "alnum") return upper || lower || digit;
  if (name == "upper") return upper;
  if (name == "lower") return lower;
  if (name == "space") return c == ' ' || (c >= '\t' && c <= '\r');
  if (name == "blank") return c == ' ' || c == '\t';
  if (name == "punct") return graph && !upper && !lower && !digit;
  if (name == "xdigit") return digit || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
  if (name == "graph") return graph;
  if (name == "print") return graph || c == ' ';
  return name == "cntrl" && ((c >= '\0' && c < ' ') || c == '\x7f');
}

// What a "[" at `at` means for the byte `c`.
struct Bracket {
  size_t end = kNone;  // behind the "]"; kNone: never closed, so the "[" is an ordinary byte
  bool matches = false;
};

// One byte of a bracket expression, behind an escaping backslash if there is one.
char bracket_byte(std::string_view pattern, size_t& at) {
  if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
  return pattern[at++];
}

Bracket match_bracket(std::string_view pattern, size_t at, char c) {
  size_t i = at + 1;
  bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (size_t first = i; i < pattern.size();) {
    if (pattern[i] == ']' && i != first) return {i + 1, found != negated};
    size_t class_end = pattern.substr(i, 2) == "[:" ? pattern.find(":]", i + 2) : kNone;
    if (class_end != kNone) {
      found = found || in_class(pattern.substr(i + 2, class_end - i - 2), c);
      i = class_end + 2;
      continue;
    }
    auto low = static_cast<unsigned char>(bracket_byte(pattern, i));
    auto high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']')
      high = static_cast<unsigned char>(bracket_byte(pattern, ++i));
    auto byte = static_cast<unsigned char>(c);
    found = found || (low <= byte && byte <= high);
  }
  return {};
}

// Whether the pattern's element at `p` takes the byte `c`; then `p` is moved behind it.
bool take_one(std::string_view pattern, size_t& p, char c) {
  if (pattern[p] == '?') {
    ++p;
    return true;
  }
  if (pattern[p] == '[') {
    Bracket bracket = match_bracket(pattern, p, c);
    if (bracket.end != kNone) {
      if (bracket.matches) p = bracket.end;
      return bracket.matches;
    }
  }
  size_t literal = pattern[p] == '\\' && p + 1 < pattern.size() ? p + 1 : p;
  if (pattern[literal] != c) return false;
  p = literal + 1;
  return true;
}

bool is_pattern(std::string_view component) {
  return component.find_first_of("*?[\\") != kNone;
}

// The entries of one directory that a component names.
void add_matches(const std::string& directory, std::string_view component, Root& root,
                 std::vector<std::string>& paths) {
  auto real = root.real_path(directory.empty() ? "/" : directory);
  if (!real) return;
  auto names = root.files().list(*real);
  if (!names) return;
  for (const std::string& name : *names)
    if (glob_match(component, name)) paths.push_back(directory + '/' + name);
}

void keep_existing(Root& root, std::vector<std::string>& paths) {
  std::erase_if(paths, [&](const std::string& path) {
    auto parent = root.real_path(parent_directory(path));
    return !parent || !root.files().lstat(absolute_in(*parent, file_name(path)));
  });
}

}  // namespace

bool is_glob(std::string_view path) {
  return path.find_first_of("*?[") != kNone;
}

bool glob_match(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.') && !pattern.starts_with("\\."))
    return false;
  // The usual walk with one place to come back to: only the last "*" ever needs to take more.
  size_t p = 0;
  size_t n = 0;
  size_t star = kNone;
  size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && take_one(pattern, p, name[n])) {
      ++n;
    } else if (star != kNone) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == kNone;
}

std::vector<std::string> expand_glob(std::string_view pattern, Root& root) {
  std::vector<std::string> paths = {""};
  bool unsure = false;  // whether paths may name what does not exist
  for (const std::string& component : split(pattern.substr(1), '/')) {
    std::vector<std::string> longer;
    unsure = !is_pattern(component);
    for (const std::string& path : paths) {
      if (unsure) {
        longer.push_back(path + '/' + component);
      } else {
        add_matches(path, component, root, longer);
      }
    }
    paths = std::move(longer);
  }
  if (unsure) keep_existing(root, paths);
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace certrebind
