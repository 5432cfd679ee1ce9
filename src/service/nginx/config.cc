#include "service/nginx/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/parallel.h"
#include "base/text.h"
#include "service/glob.h"

namespace certrebind::nginx {

namespace {

// Limit of nested blocks and files, counted together. nginx keeps a file descriptor open for each
// nested file, so at the usual limit of 1024 it fails too. A real configuration has about ten
// levels.
constexpr size_t kDeepest = 500;

// Stops includes that multiply (each file includes the next twice).
constexpr size_t kMostSteps = 4'000'000;

// Reading fewer files takes less time than starting a thread.
constexpr size_t kWorthThreads = 64;

class Reader {
 public:
  explicit Reader(Root& root) : root_(root) {}

  Result<Config> read(const std::string& main_file) {
    config_.directory = parent_directory(main_file);
    auto file = load(main_file);
    if (!file) return pass(file);
    reading_.push_back(*file);
    add(**file, 0, (*file)->tree.directives().size(), {});
    return std::move(config_);
  }

 private:
  Result<const ConfigFile*> load(const std::string& path);
  void load_ahead(const std::vector<std::string>& paths);
  const ConfigFile* keep(const std::string& path, std::string real, Tree tree);
  void add(const ConfigFile& file, size_t begin, size_t end, std::string_view enclosing);
  void add_node(const ConfigFile& file, size_t index);
  void include(const ConfigFile& file, const Directive& directive, std::string_view enclosing);
  void include_file(const ConfigFile& from, const Word& where, const std::string& path,
                    std::string_view enclosing);
  bool room_for_more(const ConfigFile& file, const Word& where);
  void report(const ConfigFile& file, const Word& where, std::string message) {
    config_.diagnostics.push_back(diagnostic_at(Severity::error, file, where, std::move(message)));
  }

  Root& root_;
  Config config_;
  std::unordered_map<std::string, const ConfigFile*> by_path_;
  std::unordered_map<std::string, const ConfigFile*> by_real_path_;
  std::vector<const ConfigFile*> reading_;  // the files of the current includes, outermost first
  size_t depth_ = 0;
  size_t steps_ = 0;      // number of directives and includes processed
  bool gave_up_ = false;  // because of depth or length; reported once
};

Result<const ConfigFile*> Reader::load(const std::string& path) {
  auto known = by_path_.find(path);
  if (known != by_path_.end()) return known->second;
  auto real = root_.real_path(path);
  if (!real) return pass(real);
  const ConfigFile*& file = by_real_path_[*real];
  if (file == nullptr) {
    auto text = root_.files().read(*real, kConfigLimit);
    if (!text) return pass(text);
    file = keep(path, *real, Tree(std::move(*text)));
  }
  by_path_.emplace(path, file);
  return file;
}

// Reads and parses the files of one pattern in parallel. They are interpreted in order later.
// `load` reports unreadable files.
void Reader::load_ahead(const std::vector<std::string>& paths) {
  if (paths.size() < kWorthThreads) return;
  struct Ahead {
    const std::string* path;
    std::string real;
    std::optional<Tree> tree;
  };
  std::vector<Ahead> to_do;
  for (const std::string& path : paths)
    if (!by_path_.contains(path)) to_do.push_back({&path, {}, {}});
  for_each_index(to_do.size(), std::thread::hardware_concurrency(), [&](size_t index) {
    Ahead& ahead = to_do[index];
    auto real = root_.real_path(*ahead.path);
    if (!real) return;
    ahead.real = std::move(*real);
    auto text = root_.files().read(ahead.real, kConfigLimit);
    if (text) ahead.tree.emplace(std::move(*text));
  });
  for (Ahead& ahead : to_do) {
    if (!ahead.tree) continue;
    const ConfigFile*& file = by_real_path_[ahead.real];
    if (file == nullptr) file = keep(*ahead.path, std::move(ahead.real), std::move(*ahead.tree));
    by_path_.emplace(*ahead.path, file);
  }
}

const ConfigFile* Reader::keep(const std::string& path, std::string real, Tree tree) {
  config_.files.push_back(std::make_unique<ConfigFile>(path, std::move(real), std::move(tree)));
  const ConfigFile& file = *config_.files.back();
  for (const SyntaxError& error : file.tree.errors())
    config_.diagnostics.push_back({Severity::error, file.real, static_cast<int>(error.line),
                                   static_cast<int>(error.column), error.message});
  return &file;
}

void Reader::add(const ConfigFile& file, size_t begin, size_t end, std::string_view enclosing) {
  const auto& directives = file.tree.directives();
  for (size_t i = begin; i < end; i = directives[i].next) {
    const Word& name = file.tree.name(directives[i]);
    if (!room_for_more(file, name)) return;
    if (name.value == "include" && !directives[i].block) {
      include(file, directives[i], enclosing);
    } else {
      add_node(file, i);
    }
  }
}

void Reader::add_node(const ConfigFile& file, size_t index) {
  const Directive& directive = file.tree.directives()[index];
  size_t node = config_.nodes.size();
  config_.nodes.push_back({&file, static_cast<uint32_t>(index), 0});
  if (directive.block) {
    ++depth_;
    add(file, index + 1, directive.next, file.tree.name(directive).value);
    --depth_;
  }
  config_.nodes[node].next = static_cast<uint32_t>(config_.nodes.size());
}

void Reader::include(const ConfigFile& file, const Directive& directive,
                     std::string_view enclosing) {
  auto arguments = file.tree.arguments(directive);
  const Word& name = file.tree.name(directive);
  if (arguments.size() != 1) return report(file, name, "`include` takes one file name");
  std::string path = absolute_in(config_.directory, arguments.front().value);
  // A geo block reads its files itself and does not support patterns (ngx_http_geo_include).
  if (enclosing == "geo" || !is_glob(path)) return include_file(file, name, path, enclosing);
  auto directory = root_.real_path(parent_directory(path));
  if (directory) config_.directories.push_back(std::move(*directory));
  std::vector<std::string> matches = expand_glob(path, root_);
  load_ahead(matches);
  for (const std::string& match : matches) include_file(file, name, match, enclosing);
}

void Reader::include_file(const ConfigFile& from, const Word& where, const std::string& path,
                          std::string_view enclosing) {
  auto file = load(path);
  if (!file) {
    return report(from, where,
                  fmt::format("the included file {} cannot be read: {}", printable(path),
                              printable(file.error().cause)));
  }
  if (std::find(reading_.begin(), reading_.end(), *file) != reading_.end()) {
    return report(from, where,
                  fmt::format("{} includes itself; nginx would open it until it has no more files",
                              printable(path)));
  }
  reading_.push_back(*file);
  ++depth_;
  add(**file, 0, (*file)->tree.directives().size(), enclosing);
  --depth_;
  reading_.pop_back();
}

bool Reader::room_for_more(const ConfigFile& file, const Word& where) {
  bool deep = depth_ > kDeepest;
  if (!deep && ++steps_ <= kMostSteps) return true;
  if (!gave_up_)
    report(file, where,
           deep ? fmt::format("nested more than {} deep: not read further", kDeepest)
                : fmt::format("more than {} directives: not read further", kMostSteps));
  gave_up_ = true;
  return false;
}

}  // namespace

Span span_of(const ConfigFile& file, const Word& word) {
  return {file.real, word.begin, word.end, static_cast<int>(word.line),
          static_cast<int>(word.column)};
}

Diagnostic diagnostic_at(Severity severity, const ConfigFile& file, const Word& word,
                         std::string message) {
  return {severity, file.real, static_cast<int>(word.line), static_cast<int>(word.column),
          std::move(message)};
}

Result<Config> read_config(const std::string& main_file, Root& root) {
  return Reader(root).read(main_file);
}

}  // namespace certrebind::nginx
