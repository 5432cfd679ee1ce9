#include "service/haproxy/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "service/haproxy/default_path.h"
#include "service/haproxy/environment.h"

namespace certrebind::haproxy {

namespace {

constexpr std::array<std::string_view, 24> kSections = {
    "global",      "defaults",    "frontend",       "backend",   "listen",         "peers",
    "mailers",     "resolvers",   "userlist",       "cache",     "program",        "ring",
    "log-forward", "http-errors", "fcgi-app",       "crt-store", "traces",         "acme",
    "log-profile", "healthcheck", "dynamic-update", "haterm",    "namespace_list", "certificate"};

bool is_section(std::string_view word) {
  return std::ranges::find(kSections, word) != kSections.end();
}

// Since this version HAProxy loads the certificates of `server` lines in the directory of the last
// file, before in the one where it was started.
constexpr std::string_view kLoadsServersInPlace = "3.0";

// The host's name, which is HAProxy's own one among peers unless it was given another.
std::string own_host_name(const Files& files) {
  auto text = files.read("/proc/sys/kernel/hostname", 1024);
  return text ? std::string(trim(*text)) : std::string();
}

// The state of one ".if".
struct Branch {
  bool outer = true;    // the surrounding lines are in effect
  bool active = false;  // the current branch is in effect
  bool taken = false;   // an earlier branch was in effect
  bool doubtful = false;
};

class Loader {
 public:
  Loader(const Started& started, Root& root)
      : started_(started),
        root_(root),
        environment_(started.environment),
        default_path_(started.directory, root) {
    name_local_peer(started.peer.empty() ? own_host_name(root.files()) : started.peer);
  }

  Result<Config> run() {
    for (const std::string& path : started_.paths)
      if (Done read = read_path(path); !read) {
        if (config_.files.empty()) return pass(read);
        config_.diagnostics.push_back(
            {Severity::error, root_.on_host(path), 0, 0, read.error().message()});
      }
    config_.at_end = bases_now();
    if (!is_since(started_.build, kLoadsServersInPlace))
      config_.at_end.directory = started_.directory;
    return std::move(config_);
  }

 private:
  Done read_path(const std::string& path) {
    auto info = root_.files().stat(root_.on_host(path));
    if (!info) return pass(info);
    return info->kind == FileKind::directory ? read_directory(path) : read_file(path);
  }

  Done read_directory(const std::string& path) {
    auto names = root_.files().list(root_.on_host(path));
    if (!names) return pass(names);
    if (auto real = root_.real_path(path)) config_.directories.push_back(*real);
    for (const std::string& name : *names)
      if (name.ends_with(".cfg") && !name.starts_with('.'))
        if (Done read = read_file(absolute_in(path, name)); !read) return read;
    return {};
  }

  Done read_file(const std::string& path) {
    auto real = root_.real_path(path);
    if (!real) return pass(real);
    auto text = root_.files().read(*real, kConfigLimit);
    if (!text) return pass(text);
    config_.files.push_back(std::make_unique<ConfigFile>(path, *real, std::move(*text)));
    default_path_.enter(path);
    read_lines(*config_.files.back());
    return {};
  }

  void read_lines(const ConfigFile& file) {
    branches_.clear();
    in_section_ = false;
    std::string_view text = file.text;
    Place place{&file, 0, 0};
    while (place.begin < text.size()) {
      ++place.line;
      size_t end = text.find('\n', place.begin);
      if (end == std::string_view::npos) {
        report(Severity::error, place, 1, "the last line has no end: HAProxy takes it for cut off");
        end = text.size();
      }
      read_one(place, text.substr(place.begin, end - place.begin));
      place.begin = end + 1;
    }
    if (!branches_.empty()) report(Severity::error, place, 1, "an .if has no .endif");
  }

  void read_one(const Place& place, std::string_view text) {
    Variables variables = [&](std::string_view name) { return lookup(name, place); };
    Line line = read_line(text, variables);
    if (!line.problem.empty()) {
      if (in_effect())
        report(Severity::error, place, line.problem_at + 1, "HAProxy refuses it: " + line.problem);
      return;
    }
    if (line.words.empty()) return;
    std::string_view first = line.words[0].value;
    if (first.starts_with('.')) return macro(place, line, variables);
    if (in_effect()) add({.place = place, .words = std::move(line.words), .doubtful = in_doubt()});
  }

  void macro(const Place& place, const Line& line, const Variables& variables) {
    std::string_view name = line.words[0].value;
    if (name == ".if") {
      Branch branch{in_effect(), false, false, in_doubt()};
      branches_.push_back(branch);
      return choose(place, line, variables);
    }
    if (name != ".elif" && name != ".else" && name != ".endif") return;
    if (branches_.empty())
      return report(Severity::error, place, 1, fmt::format("{} without .if", name));
    if (name == ".endif") {
      branches_.pop_back();
      return;
    }
    Branch& branch = branches_.back();
    branch.active = false;
    if (name == ".elif") return choose(place, line, variables);
    branch.active = branch.outer && !branch.taken;
    branch.taken = true;
  }

  // Decides whether the branch that begins here is in effect. If the condition cannot be evaluated,
  // this branch and the following ones are in effect, marked as doubtful.
  void choose(const Place& place, const Line& line, const Variables& variables) {
    Branch& branch = branches_.back();
    if (!branch.outer || branch.taken) return;
    std::vector<std::string> words;
    for (size_t i = 1; i < line.words.size(); ++i) words.push_back(line.words[i].value);
    std::string condition = join(words, " ");
    auto truth = evaluate(condition, variables, started_.build);
    if (!truth) {
      branch.doubtful = true;
      report(Severity::warning, place, 1,
             fmt::format("whether '{}' holds is not known here: what depends on it is read and "
                         "never edited",
                         printable(condition)));
    }
    branch.active = truth.value_or(true);
    branch.taken = truth.value_or(false);
  }

  bool in_effect() const {
    return std::ranges::all_of(branches_, [](const Branch& b) { return b.outer && b.active; });
  }
  bool in_doubt() const {
    return std::ranges::any_of(branches_, [](const Branch& b) { return b.doubtful; });
  }

  void add(Statement statement) {
    statement.bases = &keep(bases_now());
    if (is_section(statement.word(0))) {
      in_section_ = true;
      config_.sections.push_back({std::move(statement), {}});
      return;
    }
    if (!in_section_) return;
    Section& section = config_.sections.back();
    if (section.head.word(0) == "global") {
      set_environment(statement);
      set_bases(statement);
    }
    expand_address(statement);
    section.statements.push_back(std::move(statement));
  }

  Bases bases_now() const { return {default_path_.directory(), certificate_base_, key_base_}; }

  // One copy for all lines with the same bases: mostly there is only one.
  const Bases& keep(Bases bases) {
    if (config_.bases.empty() || config_.bases.back() != bases)
      config_.bases.push_back(std::move(bases));
    return config_.bases.back();
  }

  // HAProxy applies these to the lines below them.
  void set_bases(const Statement& statement) {
    std::string value(statement.word(1));
    if (statement.word(0) == "crt-base") certificate_base_ = std::move(value);
    if (statement.word(0) == "key-base") key_base_ = std::move(value);
    if (statement.word(0) == "default-path")
      default_path_.set(statement.word(1), statement.word(2), statement.place.file->path);
    if (statement.word(0) == "localpeer" && started_.peer.empty())
      name_local_peer(std::string(statement.word(1)));
  }

  void name_local_peer(std::string name) {
    config_.local_peer = std::move(name);
    environment_["HAPROXY_LOCALPEER"] = config_.local_peer;
  }

  // In addresses HAProxy expands variables a second time, also outside double quotes.
  void expand_address(Statement& statement) const {
    const size_t at = address_word(statement);
    if (at == 0 || at >= statement.words.size()) return;
    Word& word = statement.words[at];
    if (word.value.find('$') == std::string::npos) return;
    word.value = expand_variables(word.value, environment_);
    word.expanded = true;
  }

  // HAProxy sets the variable while reading, so later lines may use it.
  void set_environment(const Statement& statement) {
    std::string name(statement.word(1)), value(statement.word(2));
    if (statement.word(0) == "setenv") environment_[name] = value;
    if (statement.word(0) == "presetenv") environment_.try_emplace(name, value);
    if (statement.word(0) == "unsetenv")
      for (size_t i = 1; i < statement.words.size(); ++i)
        environment_.erase(std::string(statement.word(i)));
    if (statement.word(0) == "resetenv")
      std::erase_if(environment_, [&](const auto& entry) {
        return std::ranges::none_of(statement.words,
                                    [&](const Word& word) { return word.value == entry.first; });
      });
  }

  std::optional<std::string> lookup(std::string_view name, const Place& place) const {
    if (name == ".FILE") return place.file->path;
    if (name == ".LINE") return std::to_string(place.line);
    if (name == ".SECTION" && in_section_) return std::string(config_.sections.back().head.word(0));
    auto found = environment_.find(std::string(name));
    if (found == environment_.end()) return std::nullopt;
    return found->second;
  }

  void report(Severity severity, const Place& place, size_t column, std::string message) {
    config_.diagnostics.push_back(diagnostic_at(severity, place, column, std::move(message)));
  }

  const Started& started_;
  Root& root_;
  std::map<std::string, std::string> environment_;
  std::vector<Branch> branches_;
  bool in_section_ = false;
  DefaultPath default_path_;
  std::string certificate_base_, key_base_;
  Config config_;
};

}  // namespace

Span span_of(const Place& place, const Word& word) {
  return {.file = place.file->real,
          .begin = place.begin + word.begin,
          .end = place.begin + word.end,
          .line = place.line,
          .column = static_cast<int>(word.begin) + 1};
}

std::string written_at(const Place& place, const Word& word) {
  return place.file->text.substr(place.begin + word.begin, word.end - word.begin);
}

Diagnostic diagnostic_at(Severity severity, const Place& place, size_t column,
                         std::string message) {
  return {.severity = severity,
          .file = place.file->real,
          .line = place.line,
          .column = static_cast<int>(column),
          .message = std::move(message)};
}

size_t address_word(const Statement& statement) {
  std::string_view first = statement.word(0);
  if (first == "bind") return 1;
  if (first == "peer") return 2;
  return first == "stats" && statement.word(1) == "socket" ? 2 : 0;
}

bool is_local_peer(const Statement& statement, std::string_view local_peer) {
  return statement.word(0) == "peer" && statement.word(1) == local_peer && !local_peer.empty();
}

bool is_disabled(const Section& section) {
  bool disabled = false;
  for (const Statement& statement : section.statements) {
    if (statement.word(0) == "disabled") disabled = true;
    if (statement.word(0) == "enabled") disabled = false;
  }
  return disabled;
}

Result<Config> read_config(const Started& started, Root& root) {
  return Loader(started, root).run();
}

}  // namespace certrebind::haproxy
