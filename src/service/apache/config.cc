// Reads an Apache httpd configuration as httpd does, and flattens it to one array of nodes.
//
// The reader first reads the directives of -C, then the main file, then those of -c. For each line
// it expands macro parameters and variables. Then it evaluates sections that are conditions, and
// executes directives that affect reading: Include, Define, LoadModule, Use and the like. Every
// other directive or section becomes a node. The order is httpd's, because a condition depends on
// what was defined and loaded before it. Only reading and parsing of included files runs in
// parallel.
#include "service/apache/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/parallel.h"
#include "base/text.h"
#include "service/apache/conditions.h"
#include "service/apache/include_paths.h"
#include "service/apache/variables.h"
#include "service/glob.h"

namespace certrebind::apache {

namespace {

// Limit of nested files, sections and macros, counted together. httpd itself stops at 128 macros or
// includes, and a real configuration has about ten levels.
constexpr size_t kDeepest = 256;

// Reading fewer files takes less time than starting a thread.
constexpr size_t kWorthThreads = 64;

struct Frame;

struct Macro {
  const ConfigFile* file = nullptr;
  uint32_t section = 0;  // the index of its line
  std::vector<std::string> parameters;
  std::shared_ptr<const Frame> within;  // the macro use that defined it
};

// One use of a macro: the values of its parameters. It owns the macro, which its own content may
// undefine or redefine.
struct Frame {
  std::shared_ptr<const Macro> macro;
  std::vector<std::string> values;
};
using FramePtr = std::shared_ptr<const Frame>;

// Expands the text of a macro that another macro defined, frame by frame.
Source unrolled(Source source, const FramePtr& frame) {
  if (!frame) return source;
  source = unrolled(std::move(source), frame->macro->within);
  return with_parameters(source, frame->macro->parameters, frame->values);
}

class Reader {
 public:
  Reader(const Given& given, Root& root) : given_(given), root_(root) {
    config_.server_root = given.server_root;
    defines_.insert(given.defines.begin(), given.defines.end());
    for (const std::string& module : given.modules) {
      config_.modules.push_back(module);
      config_.modules.push_back(module_identifier(module));
    }
  }

  Result<Config> read();

 private:
  Result<const ConfigFile*> load(const std::string& path);
  void load_ahead(const std::vector<IncludedFile>& files);
  const ConfigFile* keep(const std::string& path, std::string real, Tree tree);
  void read_arguments(const std::vector<std::string>& directives);
  void add_whole(const ConfigFile& file);
  void add(const ConfigFile& file, size_t begin, size_t end, const FramePtr& frame);
  void add_line(const ConfigFile& file, size_t index, const FramePtr& frame);
  void add_node(const ConfigFile& file, size_t index, std::span<const Word> words,
                const FramePtr& frame);
  std::span<const Word> words_of(const ConfigFile& file, const Line& line, const FramePtr& frame);
  bool read_section(const ConfigFile& file, size_t index, std::span<const Word> words,
                    const FramePtr& frame);
  bool read_directive(const ConfigFile& file, std::span<const Word> words);
  bool holds(const ConfigFile& file, std::span<const Word> words);
  bool file_exists(std::string_view path) const;
  void define_macro(const ConfigFile& file, size_t index, std::span<const Word> words,
                    const FramePtr& frame);
  void use_macro(const ConfigFile& file, std::span<const Word> words);
  void include(const ConfigFile& file, std::span<const Word> words, bool optional);
  void include_file(const ConfigFile& from, const Word& where, const std::string& path);
  void define(std::span<const Word> words);
  std::optional<std::string> variable(std::string_view name) const;
  bool room_for_more(const ConfigFile& file, const Word& where);
  void report_structure(const ConfigFile& file, size_t begin, size_t end);
  void report(const ConfigFile& file, const Word& where, std::string message,
              Severity severity = Severity::error) {
    config_.diagnostics.push_back(diagnostic_at(severity, file, where, std::move(message)));
  }

  const Given& given_;
  Root& root_;
  Config config_;
  std::set<std::string, std::less<>> defines_;
  std::map<std::string, std::string> variables_;                // by name in lower case
  std::map<std::string, std::shared_ptr<const Macro>> macros_;  // by name in lower case
  std::set<std::string> reported_variables_;
  std::unordered_map<std::string, const ConfigFile*> by_path_;
  std::unordered_map<std::string, const ConfigFile*> by_real_path_;
  std::vector<const ConfigFile*> reading_;  // the files of the current includes, outermost first
  std::vector<const Macro*> using_;         // the macros that are being expanded
  size_t depth_ = 0;
  size_t steps_ = 0;
  bool gave_up_ = false;  // because of depth or length; reported once
};

Result<Config> Reader::read() {
  auto file = load(given_.main_file);
  if (!file) return pass(file);
  read_arguments(given_.directives_before);
  add_whole(**file);
  read_arguments(given_.directives_after);
  return std::move(config_);
}

// Directives on the command line have no file that could be edited.
void Reader::read_arguments(const std::vector<std::string>& directives) {
  if (directives.empty()) return;
  config_.files.push_back(
      std::make_unique<ConfigFile>("the command line", "", Tree(join(directives, "\n") + "\n")));
  add_whole(*config_.files.back());
}

Result<const ConfigFile*> Reader::load(const std::string& path) {
  auto known = by_path_.find(path);
  if (known != by_path_.end()) return known->second;
  auto real = root_.real_path(path);
  if (!real) return pass(real);
  const ConfigFile*& file = by_real_path_[*real];
  if (file == nullptr) {
    auto text = root_.files().read(*real, kConfigLimit);
    if (!text) {
      by_real_path_.erase(*real);
      return pass(text);
    }
    file = keep(path, *real, Tree(std::move(*text)));
  }
  by_path_.emplace(path, file);
  return file;
}

// Reads and parses the files of one pattern in parallel. They are interpreted in order later.
// `load` reports unreadable files.
void Reader::load_ahead(const std::vector<IncludedFile>& files) {
  if (files.size() < kWorthThreads) return;
  struct Ahead {
    const IncludedFile* file;
    std::optional<Tree> tree;
  };
  std::vector<Ahead> to_do;
  for (const IncludedFile& file : files)
    if (!file.real.empty() && !by_path_.contains(file.path)) to_do.push_back({&file, {}});
  for_each_index(to_do.size(), std::thread::hardware_concurrency(), [&](size_t index) {
    Ahead& ahead = to_do[index];
    auto text = root_.files().read(ahead.file->real, kConfigLimit);
    if (text) ahead.tree.emplace(std::move(*text));
  });
  for (Ahead& ahead : to_do) {
    if (!ahead.tree) continue;
    const ConfigFile*& file = by_real_path_[ahead.file->real];
    if (file == nullptr) file = keep(ahead.file->path, ahead.file->real, std::move(*ahead.tree));
    by_path_.emplace(ahead.file->path, file);
  }
}

const ConfigFile* Reader::keep(const std::string& path, std::string real, Tree tree) {
  config_.files.push_back(std::make_unique<ConfigFile>(path, std::move(real), std::move(tree)));
  return config_.files.back().get();
}

void Reader::add_whole(const ConfigFile& file) {
  reading_.push_back(&file);
  ++depth_;
  add(file, 0, file.tree.lines().size(), nullptr);
  report_structure(file, file.tree.lines().size(), file.tree.lines().size() + 1);
  --depth_;
  reading_.pop_back();
}

void Reader::add(const ConfigFile& file, size_t begin, size_t end, const FramePtr& frame) {
  const auto& lines = file.tree.lines();
  for (size_t i = begin; i < end; i = lines[i].next) {
    if (!room_for_more(file, file.tree.words(lines[i]).front())) return;
    report_structure(file, i, i + 1);
    add_line(file, i, frame);
  }
}

// Reports unbalanced sections at these lines. Not called for content that httpd skips.
void Reader::report_structure(const ConfigFile& file, size_t begin, size_t end) {
  for (const SyntaxError& error : file.tree.errors())
    if (error.at >= begin && error.at < end)
      config_.diagnostics.push_back({Severity::error, file.real, static_cast<int>(error.line),
                                     static_cast<int>(error.column), printable(error.message)});
}

void Reader::add_line(const ConfigFile& file, size_t index, const FramePtr& frame) {
  const Line& line = file.tree.lines()[index];
  if (line.section && same_name(file.tree.words(line).front().value, "Macro"))
    return define_macro(file, index, frame ? words_of(file, line, frame) : file.tree.words(line),
                        frame);
  std::span<const Word> words = words_of(file, line, frame);
  bool done = line.section ? read_section(file, index, words, frame) : read_directive(file, words);
  if (!done) add_node(file, index, words, frame);
}

std::span<const Word> Reader::words_of(const ConfigFile& file, const Line& line,
                                       const FramePtr& frame) {
  if (!frame && !line.variables) return file.tree.words(line);
  Source source = unrolled(source_of(file.tree.text(), line.raw), frame);
  std::vector<std::string> unknown;
  source = with_variables(
      source, [&](std::string_view name) { return variable(name); }, unknown);
  std::string& text = config_.decoded.emplace_front(std::move(source.text));
  auto words = std::make_unique<std::vector<Word>>();
  split_words(text, source.pieces, config_.decoded, *words);
  for (const std::string& name : unknown)
    if (reported_variables_.insert(name).second)
      report(file, words->front(),
             fmt::format("the variable ${{{}}} is not defined", printable(name)),
             Severity::warning);
  config_.unrolled.push_back(std::move(words));
  return *config_.unrolled.back();
}

void Reader::add_node(const ConfigFile& file, size_t index, std::span<const Word> words,
                      const FramePtr& frame) {
  const Line& line = file.tree.lines()[index];
  size_t node = config_.nodes.size();
  config_.nodes.push_back({&file, words, 0, line.section});
  if (line.section) {
    ++depth_;
    add(file, index + 1, line.next, frame);
    --depth_;
  }
  config_.nodes[node].next = static_cast<uint32_t>(config_.nodes.size());
}

// The existence of directives and sections depends on the loaded modules. Only those of TLS are
// known here.
bool Reader::read_section(const ConfigFile& file, size_t index, std::span<const Word> words,
                          const FramePtr& frame) {
  std::string_view name = words.front().value;
  if (same_name(name, "Perl")) {
    report(file, words.front(), "what <Perl> makes is not seen", Severity::warning);
    return true;
  }
  if (!is_condition(name)) return false;
  const Line& line = file.tree.lines()[index];
  if (holds(file, words)) {
    ++depth_;
    add(file, index + 1, line.next, frame);
    --depth_;
  } else if (line.unclosed) {
    report(file, words.front(), fmt::format("<{}> was not closed", name));
  }
  return true;
}

bool Reader::holds(const ConfigFile& file, std::span<const Word> words) {
  std::string_view name = words.front().value;
  if (same_name(name, "IfVersion")) {
    auto fits = version_fits(given_.version, words.subspan(1));
    if (!fits)
      report(file, words.front(), "httpd refuses the version or the pattern of this <IfVersion>");
    return fits.value_or(false);
  }
  const bool negated = words.size() > 1 && words[1].value == kNegation;
  const size_t at = negated ? 2 : 1;
  std::string_view wanted = words.size() > at ? words[at].value : "";
  if (same_name(name, "IfDefine")) return defines_.contains(wanted) != negated;
  if (same_name(name, "IfModule")) return config_.has_module(wanted) != negated;
  if (same_name(name, "IfFile")) return file_exists(wanted) != negated;
  // The known directives and sections depend on modules; this code knows those for TLS.
  bool of_tls = to_lower(wanted).starts_with("ssl");
  if (!of_tls)
    report(file, words.front(),
           fmt::format("this <{}> is not understood: its content is left alone", name),
           Severity::warning);
  return of_tls && config_.has_module("ssl_module") != negated;
}

bool Reader::file_exists(std::string_view path) const {
  auto real = root_.real_path(absolute_in(config_.server_root, path));
  return real && root_.files().stat(*real).has_value();
}

// True for a directive that httpd executes while reading.
bool Reader::read_directive(const ConfigFile& file, std::span<const Word> words) {
  std::string_view name = words.front().value;
  if (same_name(name, "Include") || same_name(name, "IncludeOptional")) {
    include(file, words, name.size() > 7);
  } else if (same_name(name, "Use")) {
    use_macro(file, words);
  } else if (same_name(name, "Define")) {
    define(words);
  } else if (same_name(name, "UnDefine") && words.size() == 2) {
    defines_.erase(std::string(words[1].value));
    variables_.erase(to_lower(words[1].value));
  } else if (same_name(name, "UndefMacro") && words.size() == 2) {
    macros_.erase(to_lower(words[1].value));
  } else if (same_name(name, "ServerRoot") && words.size() == 2) {
    config_.server_root = absolute_in(config_.server_root, words[1].value);
  } else if (same_name(name, "LoadModule") && words.size() == 3) {
    for (std::string& known : module_names(words[1].value, words[2].value))
      config_.modules.push_back(std::move(known));
    config_.loads.push_back(absolute_in(config_.server_root, words[2].value));
  } else if (same_name(name, "LoadFile")) {
    for (const Word& word : words.subspan(1))
      config_.loads.push_back(absolute_in(config_.server_root, word.value));
  } else {
    return false;
  }
  return true;
}

void Reader::define(std::span<const Word> words) {
  if (words.size() != 2 && words.size() != 3) return;
  defines_.insert(std::string(words[1].value));
  if (words.size() == 3) variables_[to_lower(words[1].value)] = words[2].value;
}

// Names of defined variables are looked up ignoring case (apr_table_get), those of the environment
// exactly.
std::optional<std::string> Reader::variable(std::string_view name) const {
  if (auto defined = variables_.find(to_lower(name)); defined != variables_.end())
    return defined->second;
  auto in_environment = given_.environment.find(std::string(name));
  if (in_environment != given_.environment.end()) return in_environment->second;
  return std::nullopt;
}

void Reader::define_macro(const ConfigFile& file, size_t index, std::span<const Word> words,
                          const FramePtr& frame) {
  if (words.size() < 2) return report(file, words.front(), "<Macro> without a name");
  if (!config_.has_module("macro_module"))
    return report(file, words.front(), "<Macro> without mod_macro");
  Macro macro{&file, static_cast<uint32_t>(index), {}, frame};
  for (const Word& word : words.subspan(2)) macro.parameters.emplace_back(word.value);
  macros_.insert_or_assign(to_lower(words[1].value),
                           std::make_shared<const Macro>(std::move(macro)));
}

void Reader::use_macro(const ConfigFile& file, std::span<const Word> words) {
  if (words.size() < 2) return report(file, words.front(), "Use without the name of a macro");
  auto found = macros_.find(to_lower(words[1].value));
  if (found == macros_.end())
    return report(file, words.front(),
                  fmt::format("the macro {} is not defined", printable(words[1].value)));
  std::shared_ptr<const Macro> macro = found->second;
  if (std::ranges::find(using_, macro.get()) != using_.end())
    return report(file, words.front(),
                  fmt::format("the macro {} uses itself", printable(words[1].value)));
  Frame frame{macro, {}};
  for (const Word& word : words.subspan(2)) frame.values.emplace_back(word.value);
  if (frame.values.size() != macro->parameters.size())
    return report(file, words.front(),
                  fmt::format("the macro {} takes {}, not {}", printable(words[1].value),
                              count_of(macro->parameters.size(), "argument"), frame.values.size()));
  using_.push_back(macro.get());
  ++depth_;
  add(*macro->file, macro->section + 1, macro->file->tree.lines()[macro->section].next,
      std::make_shared<const Frame>(std::move(frame)));
  --depth_;
  using_.pop_back();
}

void Reader::include(const ConfigFile& file, std::span<const Word> words, bool optional) {
  const Word& name = words.front();
  if (words.size() != 2) return report(file, name, "Include takes one file name");
  std::string pattern = normalized(absolute_in(config_.server_root, words[1].value));
  if (optional && !is_glob(pattern) && !root_.real_path(pattern)) return;
  IncludePaths paths = include_paths(pattern, root_);
  auto add_real = [&](const std::vector<std::string>& paths_inside, std::vector<std::string>& to) {
    for (const std::string& path : paths_inside)
      if (auto real = root_.real_path(path.empty() ? "/" : path)) to.push_back(std::move(*real));
  };
  add_real(paths.directories, config_.directories);
  add_real(paths.whole, config_.whole);
  if (!paths.problem.empty() && !(optional && paths.files.empty()))
    report(file, name, fmt::format("{}: {}", printable(words[1].value), paths.problem));
  load_ahead(paths.files);
  for (const IncludedFile& included : paths.files) include_file(file, name, included.path);
}

void Reader::include_file(const ConfigFile& from, const Word& where, const std::string& path) {
  auto file = load(path);
  if (!file) {
    return report(from, where,
                  fmt::format("the included file {} cannot be read: {}", printable(path),
                              printable(file.error().cause)));
  }
  if (std::ranges::find(reading_, *file) != reading_.end())
    return report(from, where, fmt::format("{} includes itself", printable(path)));
  add_whole(**file);
}

bool Reader::room_for_more(const ConfigFile& file, const Word& where) {
  bool deep = depth_ > kDeepest;
  if (!deep && ++steps_ <= given_.most_directives) return true;
  if (!gave_up_)
    report(file, where,
           deep ? fmt::format("nested more than {} deep: not read further", kDeepest)
                : fmt::format("more than {} directives: not read further", given_.most_directives));
  gave_up_ = true;
  return false;
}

}  // namespace

Span Value::span() const {
  return {file->real, word->begin, word->end, static_cast<int>(word->line),
          static_cast<int>(word->column)};
}

Diagnostic diagnostic_at(Severity severity, const ConfigFile& file, const Word& word,
                         std::string message) {
  return {severity, file.real.empty() ? file.path : file.real, static_cast<int>(word.line),
          static_cast<int>(word.column), std::move(message)};
}

bool Config::has_module(std::string_view name) const {
  return std::ranges::find(modules, name) != modules.end();
}

Result<Config> read_config(const Given& given, Root& root) {
  return Reader(given, root).read();
}

}  // namespace certrebind::apache
