#include "service/nginx/command_line.h"

#include "base/text.h"

namespace certrebind::nginx {

namespace {

constexpr std::string_view kMasterTitle = "nginx: master process ";
constexpr std::string_view kFlags = "?hvVtTq";
constexpr std::string_view kWithValue = "pgces";
constexpr std::string_view kOneShot = "?hvVtTs";

void set_value(char option, std::string value, CommandLine& line) {
  if (option == 'c') line.config = std::move(value);
  if (option == 'p') line.prefix = std::move(value);
  if (option == 'g' || option == 'e') {
    line.extra.push_back(std::string("-") + option);
    line.extra.push_back(std::move(value));
  }
}

bool contains(std::string_view letters, char letter) {
  return letters.find(letter) != std::string_view::npos;
}

bool is_option(std::string_view word) {
  return word.size() >= 2 && word[0] == '-' &&
         (contains(kFlags, word[1]) || contains(kWithValue, word[1]));
}

// Groups the words of a title into arguments: the words from "-g" and similar options up to the
// next option are one value.
std::vector<std::string> gather(const std::vector<std::string>& words) {
  std::vector<std::string> arguments;
  bool value_due = false;  // the last argument ends in an option that requires a value
  bool in_value = false;   // the last argument is such a value, or contains one
  for (const std::string& word : words) {
    bool option = is_option(word);
    if (in_value && !option) {
      arguments.back() += ' ' + word;
      continue;
    }
    arguments.push_back(word);
    in_value = option ? word.size() > 2 && contains(kWithValue, word[1]) : value_due;
    value_due = option && contains(kWithValue, word.back());
  }
  return arguments;
}

// The words of a shell line as configure prints it: single quotes keep blanks.
std::vector<std::string> shell_words(std::string_view text) {
  std::vector<std::string> words(1);
  bool quoted = false;
  for (char c : text) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (!quoted && (c == ' ' || c == '\n')) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

}  // namespace

CommandLine parse_arguments(const std::vector<std::string>& arguments) {
  CommandLine line;
  for (size_t i = 1; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (!word.starts_with('-')) continue;
    for (size_t at = 1; at < word.size(); ++at) {
      if (contains(kOneShot, word[at])) line.one_shot = true;
      if (!contains(kWithValue, word[at])) continue;
      std::string value = word.substr(at + 1);
      if (value.empty() && i + 1 < arguments.size()) value = arguments[++i];
      set_value(word[at], std::move(value), line);
      break;
    }
  }
  return line;
}

std::optional<CommandLine> parse_master_title(std::string_view title) {
  if (!title.starts_with(kMasterTitle)) return std::nullopt;
  title.remove_prefix(kMasterTitle.size());
  return parse_arguments(gather(split(trim(title), ' ')));
}

BuildDefaults parse_build_defaults(std::string_view output) {
  constexpr std::string_view kPrefix = "--prefix=";
  constexpr std::string_view kConfig = "--conf-path=";
  BuildDefaults defaults{"/usr/local/nginx", "conf/nginx.conf"};  // as in auto/options
  for (const std::string& word : shell_words(output)) {
    if (word.starts_with(kPrefix)) defaults.prefix = word.substr(kPrefix.size());
    if (word.starts_with(kConfig)) defaults.config = word.substr(kConfig.size());
  }
  defaults.config = absolute_in(defaults.prefix, defaults.config);
  return defaults;
}

// The options of configure are one string, which ends with a zero byte (NGX_CONFIGURE).
BuildDefaults find_build_defaults(std::string_view program) {
  for (const std::string_view option : {" --prefix=", " --conf-path="})
    if (size_t at = program.find(option); at != std::string_view::npos) {
      const size_t begin = program.rfind('\0', at) + 1;
      return parse_build_defaults(program.substr(begin, program.find('\0', at) - begin));
    }
  return parse_build_defaults("");
}

}  // namespace certrebind::nginx
