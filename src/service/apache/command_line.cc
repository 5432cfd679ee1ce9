#include "service/apache/command_line.h"

#include <array>
#include <charconv>
#include <map>

#include "base/text.h"

namespace certrebind::apache {

namespace {

constexpr std::string_view kWithValue = "DCcdfkeEn";
constexpr std::string_view kOneShot = "vVlLtSTMh?";

void set_value(char option, std::string value, CommandLine& line) {
  if (option == 'f') line.config = std::move(value);
  if (option == 'd') line.server_root = std::move(value);
  if (option == 'D') line.defines.push_back(std::move(value));
  if (option == 'C') line.directives_before.push_back(std::move(value));
  if (option == 'c') line.directives_after.push_back(std::move(value));
  if (option == 'k' && value != "start") line.one_shot = true;
}

std::string between_quotes(std::string_view text) {
  size_t open = text.find('"');
  size_t close = text.rfind('"');
  return open == close ? std::string() : std::string(text.substr(open + 1, close - open - 1));
}

Version version_in(std::string_view line) {
  Version version;
  size_t slash = line.find('/');
  int* parts[] = {&version.major, &version.minor, &version.patch};
  for (int* part : parts) {
    if (slash == std::string_view::npos) break;
    line.remove_prefix(slash + 1);
    std::from_chars(line.data(), line.data() + line.size(), *part);
    slash = line.find('.');
  }
  return version;
}

// A shell word of an assignment: removes quotes and expands variables. Empty if it needs any other
// shell feature.
std::string shell_value(std::string_view text, const std::map<std::string, std::string>& known) {
  std::string value;
  if (text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0])
    text = text.substr(1, text.size() - 2);
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '$') {
      value += text[at];
      continue;
    }
    bool braces = at + 1 < text.size() && text[at + 1] == '{';
    size_t begin = at + (braces ? 2 : 1);
    size_t end = begin;
    while (end < text.size() &&
           (text[end] == '_' || (text[end] >= '0' && text[end] <= '9') ||
            (text[end] >= 'A' && text[end] <= 'Z') || (text[end] >= 'a' && text[end] <= 'z')))
      ++end;
    if (braces && (end >= text.size() || text[end] != '}')) return "";
    auto found = known.find(std::string(text.substr(begin, end - begin)));
    if (found != known.end()) value += found->second;
    at = braces ? end : end - 1;
  }
  return value;
}

}  // namespace

CommandLine parse_arguments(const std::vector<std::string>& arguments) {
  CommandLine line;
  for (size_t i = 1; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word.size() < 2 || word[0] != '-') continue;
    for (size_t at = 1; at < word.size(); ++at) {
      if (kOneShot.find(word[at]) != std::string_view::npos) line.one_shot = true;
      if (kWithValue.find(word[at]) == std::string_view::npos) continue;
      std::string value = word.substr(at + 1);
      if (value.empty() && i + 1 < arguments.size()) value = arguments[++i];
      set_value(word[at], std::move(value), line);
      break;
    }
  }
  return line;
}

BuildDefaults parse_build(std::string_view settings, std::string_view modules) {
  BuildDefaults built{"/usr/local/apache2", "conf/httpd.conf", {}, {}};
  for (const std::string& line : split(settings, '\n')) {
    if (line.starts_with("Server version:")) built.version = version_in(line);
    if (line.find("-D HTTPD_ROOT=") != std::string::npos) built.server_root = between_quotes(line);
    if (line.find("-D SERVER_CONFIG_FILE=") != std::string::npos)
      built.config = between_quotes(line);
  }
  for (const std::string& line : split(modules, '\n'))
    if (std::string_view name = trim(line); name.ends_with(".c")) built.modules.emplace_back(name);
  return built;
}

std::vector<std::string> parse_envvars(std::string_view text,
                                       const std::map<std::string, std::string>& given) {
  std::map<std::string, std::string> known = given;
  std::vector<std::string> exported;
  for (const std::string& raw : split(text, '\n')) {
    std::string_view line = trim(raw);
    bool is_export = line.starts_with("export ");
    if (is_export) line = trim(line.substr(7));
    size_t equals = line.find('=');
    if (line.empty() || line[0] == '#' || equals == std::string_view::npos) continue;
    std::string name(line.substr(0, equals));
    if (name.find_first_of(" \t$\"'`") != std::string::npos) continue;
    if (!given.contains(name)) known[name] = shell_value(line.substr(equals + 1), known);
    if (is_export) exported.push_back(name + "=" + known[name]);
  }
  return exported;
}

}  // namespace certrebind::apache
