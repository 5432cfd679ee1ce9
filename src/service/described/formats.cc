#include "service/described/formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "service/described/lua.h"
#include "service/described/yaml.h"

namespace certrebind::described {

namespace {

constexpr size_t kDeepest = 64;
// What is in a list repeats its name.
constexpr size_t kLongestName = 1000;

// A line of a configuration, with the lines that continue it.
struct Line {
  std::string text;
  size_t begin = 0;  // byte offset in the file
  int number = 0;
};

// Everything that the formats of lines share.
class LineReader {
 public:
  LineReader(const Source& source, const std::string& text, const std::string& file, bool printed,
             size_t at, SettingsTree& tree)
      : source_(source), text_(text), file_(file), printed_(printed), at_(at), tree_(tree) {
    open_ = {at};
    if (source.format == Format::lookup_table)
      for (const Section& section : tree.sections)
        if (section.path.starts_with("entry ")) entries_.insert(section.argument);
  }

  void run() {
    for (const Line& line : lines()) {
      if (tree_.sections.size() > kMostSections)
        return complain(line, "it has too many sections; the rest is not read");
      read(line);
    }
    if (open_.size() > 1)
      tree_.diagnostics.push_back({Severity::warning, file_, 0, 0, "a block is not closed"});
  }

 private:
  bool begins_comment(std::string_view line) const {
    return line.starts_with('#') || (source_.format == Format::ini && line.starts_with(';'));
  }

  // An indented line continues the one before it in Postfix's files (postconf(5)).
  bool continues(std::string_view line) const {
    const bool indents =
        source_.format == Format::postfix_master || source_.format == Format::lookup_table;
    return indents && !line.empty() && (line.front() == ' ' || line.front() == '\t');
  }

  std::vector<Line> lines() const {
    std::vector<Line> found;
    size_t begin = 0;
    int number = 0;
    for (const std::string& raw : split(text_, '\n')) {
      ++number;
      const std::string_view plain = trim(raw);
      if (!plain.empty() && !begins_comment(plain)) {
        if (continues(raw) && !found.empty()) {
          found.back().text += ' ' + std::string(plain);
        } else if (!found.empty() && found.back().text.ends_with('\\') && !printed_) {
          found.back().text.pop_back();
          found.back().text += ' ' + std::string(plain);
        } else {
          found.push_back({std::string(plain), begin, number});
        }
      }
      begin += raw.size() + 1;
    }
    return found;
  }

  void complain(const Line& line, std::string message) {
    tree_.diagnostics.push_back(
        {Severity::warning, file_, printed_ ? 0 : line.number, 0, std::move(message)});
  }

  void read(const Line& line) {
    switch (source_.format) {
      case Format::ini:
        return read_ini(line);
      case Format::words:
        return read_words(line);
      case Format::blocks:
        return read_blocks(line);
      case Format::options:
        return read_option(line);
      case Format::postfix_master:
        return read_master(line);
      case Format::lookup_table:
        return read_entry(line);
      default:
        return read_assignment(line, line.text);
    }
  }

  void set(const Line& line, std::string_view name, std::string_view value) {
    Setting setting{.name = std::string(name),
                    .value = unquoted(value),
                    .where = {.file = file_, .line = printed_ ? 0 : line.number},
                    .written = std::string(value)};
    if (!printed_) {
      size_t end = std::min(text_.size(), text_.find('\n', line.begin));
      size_t at = value.empty() ? text_.npos : text_.rfind(value, end);
      if (at != text_.npos && at >= line.begin) {
        setting.where.begin = at;
        setting.where.end = at + value.size();
        setting.where.column = static_cast<int>(at - line.begin) + 1;
      }
    }
    tree_.sections[open_.back()].settings.push_back(std::move(setting));
  }

  static std::string unquoted(std::string_view value) {
    const bool quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                        value.back() == value.front();
    return std::string(quoted ? value.substr(1, value.size() - 2) : value);
  }

  // "ssl = on  # comment": a "#" after a blank begins a comment.
  static std::string_view without_comment(std::string_view value) {
    if (value.empty()) return value;
    const char quote = value.front();
    size_t from = 0;
    if (quote == '"' || quote == '\'') {
      size_t close = value.find(quote, 1);
      if (close == value.npos) return value;
      from = close;
    }
    for (size_t hash = value.find('#', from); hash != value.npos; hash = value.find('#', hash + 1))
      if (hash == 0 || value[hash - 1] == ' ' || value[hash - 1] == '\t')
        return trim(value.substr(0, hash));
    return value;
  }

  // NAME = VALUE; without "=" the first blank divides them.
  void read_assignment(const Line& line, std::string_view text) {
    size_t equals = text.find('=');
    size_t blank = text.find_first_of(" \t");
    size_t at = equals;
    if (equals == text.npos ||
        (blank < equals && trim(text.substr(blank, equals - blank)).size() > 0))
      at = blank;
    if (at == text.npos) return set(line, text, equals == text.npos ? "yes" : "");
    std::string_view value = trim(text.substr(at + 1));
    while (value.ends_with(';') || value.ends_with(','))
      value = trim(value.substr(0, value.size() - 1));
    set(line, trim(text.substr(0, at)), without_comment(value));
  }

  void read_ini(const Line& line) {
    if (line.text.front() == '!') return set(line, first_word(line.text), rest(line.text));
    if (line.text.front() != '[') return read_assignment(line, line.text);
    size_t close = line.text.find(']');
    if (close == line.text.npos) return complain(line, "a section's name has no closing bracket");
    std::string_view name = trim(std::string_view(line.text).substr(1, close - 1));
    open_ = {tree_.open(at_, name, "")};
    tree_.sections.back().argument = name;
  }

  static std::string_view first_word(std::string_view text) {
    return text.substr(0, text.find_first_of(" \t"));
  }
  static std::string_view rest(std::string_view text) {
    size_t blank = text.find_first_of(" \t");
    return blank == text.npos ? "" : trim(text.substr(blank));
  }

  void read_words(const Line& line) {
    std::string_view name = first_word(line.text), value = without_comment(rest(line.text));
    const bool is_section = std::ranges::find(source_.sections, name) != source_.sections.end();
    if (is_section) open_ = {tree_.open(at_, name, value)};
    set(line, name, value);
    if (is_section)
      for (const std::string& word : split(value, ' '))
        if (word.find('=') != word.npos) read_assignment(line, word);
  }

  void read_blocks(const Line& line) {
    std::string_view text = without_comment(line.text);
    while (text.starts_with('}')) {
      if (open_.size() == 1) return complain(line, "'}' closes nothing");
      open_.pop_back();
      text = trim(text.substr(1));
      if (text.starts_with('#')) return;
    }
    if (text.empty()) return;
    if (!text.ends_with('{')) return read_assignment(line, text);
    if (open_.size() > kDeepest) return complain(line, "blocks are nested too deeply");
    text = trim(text.substr(0, text.size() - 1));
    if (text.ends_with('=')) text = trim(text.substr(0, text.size() - 1));
    open_.push_back(tree_.open(open_.back(), first_word(text), rest(text)));
  }

  void read_option(const Line& line) {
    std::string_view text = line.text;
    if (!text.starts_with('-')) return;
    text.remove_prefix(text.starts_with("--") ? 2 : 1);
    const size_t end = std::min(text.find('='), text.find_first_of(" \t"));
    std::string name(text.substr(0, end));
    std::ranges::replace(name, '-', '_');  // programs take both for the same option
    set(line, name, end == text.npos ? "yes" : trim(text.substr(end + 1)));
  }

  // "smtp inet n - y - - smtpd -o name=value": service, type, five columns, the command.
  void read_master(const Line& line) {
    std::vector<std::string> words;
    for (std::string& word : split(line.text, ' '))
      for (std::string& part : split(word, '\t'))
        if (!part.empty()) words.push_back(std::move(part));
    constexpr size_t kColumns = 8;
    if (words.size() < kColumns) return complain(line, "a service has too few columns");
    open_ = {at_, tree_.open(at_, "service", words[0] + "/" + words[1])};
    std::string address, port = words[0];
    if (size_t colon = port.rfind(':'); colon != port.npos) {
      address = port.substr(0, colon);
      port = port.substr(colon + 1);
    }
    set(line, "type", words[1]);
    set(line, "address", address);
    set(line, "port", port);
    set(line, "command", words[7]);
    for (size_t i = kColumns; i + 1 < words.size(); ++i)
      if (words[i] == "-o") read_assignment(line, words[++i]);
    open_ = {at_};
  }

  void read_entry(const Line& line) {
    const std::string name = to_lower(first_word(line.text));
    if (!entries_.insert(name).second) return;
    if (name.starts_with("*."))
      return complain(line, printable(name) + " is for no name; for all names below " +
                                printable(name.substr(2)) + " write " + printable(name.substr(1)));
    open_ = {at_, tree_.open(at_, "entry", name)};
    set(line, "value", rest(line.text));
    open_ = {at_};
  }

  const Source& source_;
  const std::string& text_;
  const std::string& file_;
  const bool printed_;
  const size_t at_;
  SettingsTree& tree_;
  std::vector<size_t> open_;       // sections, from the outermost
  std::set<std::string> entries_;  // of this lookup table, and of those before it
};

// The plain values of a list become one setting, divided by commas.
class JsonTree {
 public:
  JsonTree(const std::string& file, SettingsTree& tree) : file_(file), tree_(tree) {}

  void read(const nlohmann::json& object, size_t at, size_t depth) {
    if (depth > kDeepest || tree_.sections.size() > kMostSections) return;
    for (const auto& [name, value] : object.items()) member(name, value, at, depth);
  }

 private:
  static std::string text_of(const nlohmann::json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  }

  void member(const std::string& name, const nlohmann::json& value, size_t at, size_t depth) {
    if (depth > kDeepest || name.size() > kLongestName) return;
    if (value.is_object()) {
      set(name, "yes", at);
      return read(value, tree_.open(at, name, ""), depth + 1);
    }
    if (!value.is_array()) return set(name, text_of(value), at);
    std::vector<std::string> plain;
    for (const nlohmann::json& each : value) {
      if (tree_.sections.size() > kMostSections) break;
      if (each.is_structured())
        member(name, each, at, depth + 1);
      else
        plain.push_back(text_of(each));
    }
    if (!plain.empty()) set(name, join(plain, ", "), at);
  }

  void set(const std::string& name, const std::string& text, size_t at) {
    Setting setting{.name = name, .value = text, .where = {}, .written = text};
    setting.where.file = file_;
    tree_.sections[at].settings.push_back(std::move(setting));
  }

  const std::string& file_;
  SettingsTree& tree_;
};

}  // namespace

void read_format(const Source& source, const std::string& text, const std::string& file,
                 bool printed, size_t at, SettingsTree& tree) {
  if (source.format == Format::lua) return read_lua(source, text, file, at, tree);
  const bool is_yaml = source.format == Format::yaml;
  if (source.format != Format::json && !is_yaml)
    return LineReader(source, text, file, printed, at, tree).run();
  nlohmann::json parsed = is_yaml ? read_yaml(text, file, tree.diagnostics)
                                  : nlohmann::json::parse(text, nullptr, false);
  if (!parsed.is_object()) {
    const std::string what = is_yaml ? "a YAML mapping" : "a JSON object";
    tree.diagnostics.push_back({Severity::warning, file, 0, 0, "it is not " + what});
    return;
  }
  JsonTree(file, tree).read(parsed, at, 0);
}

}  // namespace certrebind::described
