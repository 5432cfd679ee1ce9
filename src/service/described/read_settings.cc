#include "service/described/read_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/append.h"
#include "base/text.h"
#include "service/described/formats.h"
#include "service/described/template.h"
#include "service/glob.h"
#include "sys/container.h"

namespace certrebind::described {

namespace {

constexpr milliseconds kPrintDeadline{20'000};
constexpr size_t kMostFiles = 10'000;
// Of one section: every look for a setting goes through them.
constexpr size_t kMostSettings = 3'000;

// The first number with a dot in it: "2.3.19.1" of "2.3.19.1 (9b53102964)".
std::string first_version_in(const std::string& text) {
  constexpr const char* kDigits = "0123456789";
  for (size_t at = text.find_first_of(kDigits); at != text.npos;
       at = text.find_first_of(kDigits, at)) {
    const size_t end = std::min(text.find_first_not_of("0123456789.", at), text.size());
    std::string version = text.substr(at, end - at);
    while (version.ends_with('.')) version.pop_back();
    if (version.find('.') != version.npos) return version;
    at = end;
  }
  return "";
}

class SettingsReader {
 public:
  SettingsReader(const Description& description, const ReadContext& context)
      : description_(description), context_(context) {}

  Result<SettingsTree> run() {
    if (!description_.version.empty())
      if (Done read = read_version(); !read) return pass(read);
    for (const Source& source : description_.sources) {
      if (!holds(source.when)) continue;
      if (Done read = read_source(source); !read) return pass(read);
      leave_out_the_rest();
    }
    return std::move(tree_);
  }

 private:
  void leave_out_the_rest() {
    for (Section& section : tree_.sections) {
      if (section.settings.size() <= kMostSettings) continue;
      section.settings.erase(section.settings.begin() + kMostSettings, section.settings.end());
      note(section.settings.back().where.file,
           "a section has too many settings; the rest is not read");
    }
  }

  Done read_source(const Source& source) {
    if (source.arguments) {
      read_format(source, options_in_lines(), context_.fixed.at("configuration"), true, 0, tree_);
      return {};
    }
    if (!source.defaults.empty()) {
      SettingsTree defaults;
      read_format(source, source.defaults, context_.fixed.at("configuration"), true, 0, defaults);
      tree_.add_missing(defaults);
      return {};
    }
    if (!source.command.empty()) return read_output(source);
    if (!source.files.empty()) {
      list_files(source);
      return {};
    }
    if (source.format == Format::lookup_table) {
      for (const std::string& table : tables_in(expand(source.file))) read_table(source, table);
      return {};
    }
    for (const std::string& path : files_named(expand(source.file)))
      if (Done read = read_file(source, path, 0, 0); !read && !source.optional) return read;
    return {};
  }

  void list_files(const Source& source) {
    const std::string pattern = absolute_in(context_.fixed.at("directory"), expand(source.files));
    if (auto real = context_.root.real_path(directory_of_glob(pattern)))
      tree_.directories.push_back(*real);
    std::vector<std::string> paths = expand_glob(pattern, context_.root);
    if (paths.size() > kMostFiles) {
      note(pattern, "it fits too many files; the rest is not read");
      paths.resize(kMostFiles);
    }
    if (source.only_last && paths.size() > 1) paths.erase(paths.begin(), paths.end() - 1);
    for (const std::string& path : paths) {
      const size_t section = tree_.open(0, "file", path);
      Setting setting{.name = "file", .value = path, .where = {}, .written = path};
      setting.where.file = context_.fixed.at("configuration");
      tree_.sections[section].settings.push_back(std::move(setting));
    }
  }

  // Divided by commas and blanks outside of braces: "hash:/a, inline:{x=/b, y=/c}".
  static std::vector<std::string> tables_in(const std::string& value) {
    std::vector<std::string> tables(1);
    int depth = 0;
    for (char c : value) {
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
      if (depth == 0 && (c == ',' || c == ' ' || c == '\t'))
        tables.emplace_back();
      else
        tables.back() += c;
    }
    std::erase(tables, "");
    return tables;
  }

  void read_table(const Source& source, const std::string& table) {
    const size_t colon = table.find(':');
    const bool has_type = colon != table.npos && !table.starts_with('/');
    const std::string type = has_type ? table.substr(0, colon) : "";
    const bool is_compiled = has_type
                                 ? std::ranges::find(source.compiled, type) != source.compiled.end()
                                 : !source.compiled.empty();
    if (!is_compiled && std::ranges::find(source.types, type) == source.types.end())
      return note(context_.fixed.at("host configuration"),
                  fmt::format("certrebind does not follow a table like {}: watch its certificates "
                              "yourself",
                              printable(table)));
    const std::string path =
        absolute_in(context_.fixed.at("directory"), has_type ? table.substr(colon + 1) : table);
    if (Done read = read_file(source, path, 0, 0); !read)
      return note(context_.root.on_host(path), read.error().cause);
    if (is_compiled) tree_.compiled.push_back({table, source.rebuild});
  }

  void note(const std::string& file, std::string message) {
    tree_.diagnostics.push_back({Severity::warning, file, 0, 0, std::move(message)});
  }

  // An option without "=" takes the argument behind it, unless that is an option too.
  std::string options_in_lines() const {
    std::string lines;
    for (const std::string& argument : context_.arguments) {
      const bool is_value = !argument.starts_with('-') && !lines.empty();
      lines += (is_value ? " " : "\n") + argument;
    }
    return lines;
  }

  bool holds(const std::vector<std::string>& conditions) const {
    const Template fill(tree_, context_.fixed);
    return std::ranges::all_of(conditions, [&](const auto& each) { return fill.holds(each, 0); });
  }

  std::string expand(const std::string& text) const {
    return Template(tree_, context_.fixed).expand(text, 0);
  }

  // A program that nobody else could have put there.
  Result<Command> printing(const std::vector<std::string>& templates, uint32_t user) const {
    if (process_of_container(context_.root.directory()))
      return fail(Code::unsupported, "read", context_.fixed.at("configuration"),
                  templates.front() + " prints it, and certrebind runs no program of a container",
                  "run certrebind inside the container");
    Command command{
        .arguments = {}, .root = context_.root.directory(), .user = user, .printed_only = true};
    for (const std::string& word : templates) command.arguments.push_back(expand(word));
    auto program = program_path(context_.root.files(), command.arguments.front());
    if (!program) return pass(program);
    command.arguments.front() = *program;
    return command;
  }

  // The first number with a dot that the program prints.
  Done read_version() {
    auto command = printing(description_.version, context_.user);
    if (!command) return pass(command);
    if (!context_.environment.empty()) command->environment = context_.environment;
    command->printed_only = false;
    auto output = context_.commands.run(*command, kPrintDeadline);
    if (!output) return pass(output);
    tree_.version = first_version_in(output->output);
    if (!tree_.version.empty()) return {};
    return fail(Code::failed, "read the version of", description_.title,
                fmt::format("{} printed none: {}", command->text(), shown(output->output)));
  }

  static std::string shown(const std::string& output) {
    constexpr size_t kMostShown = 400;
    return joined_lines(printable_lines(output.substr(0, kMostShown)));
  }

  // Only one that nobody else could have written is given to a program of root.
  Done read_output(const Source& source) {
    const std::string& configuration = context_.fixed.at("configuration");
    tree_.files.push_back(context_.root.on_host(configuration));
    const uint32_t user = source.as_root ? own_user() : context_.user;
    if (source.as_root)
      if (Done may = is_readable_to_its_user(configuration); !may) return may;
    if (user == own_user())
      if (std::string who = who_else_could_change(context_.root.files(), {tree_.files.back()});
          !who.empty())
        return fail(Code::denied, "run " + source.command.front() + " for", configuration, who,
                    "let only root change that (chown root, chmod go-w)");
    auto command = printing(source.command, user);
    if (!command) return pass(command);
    if (!context_.environment.empty() && !source.as_root)
      command->environment = context_.environment;
    auto output = context_.commands.run(*command, kPrintDeadline);
    if (!output) return pass(output);
    if (output->status != 0) return why_not_printed(std::move(*command));
    read_format(source, output->output, tree_.files.back(), true, 0, tree_);
    return {};
  }

  // What root reads for a user is shown to him, in errors too.
  Done is_readable_to_its_user(const std::string& configuration) const {
    if (!context_.root.directory().empty())
      return fail(Code::denied, "read", configuration, "it is in a root directory of its own");
    auto text = context_.root.files().read(configuration, kConfigLimit);
    return text ? Done() : pass(text);
  }

  // Asked once more, for what it says on its standard error.
  Done why_not_printed(Command command) const {
    command.printed_only = false;
    auto output = context_.commands.run(command, kPrintDeadline);
    if (!output) return pass(output);
    return fail(Code::failed, "read", context_.fixed.at("configuration"),
                fmt::format("{} exited with {}: {}", command.arguments.front(), output->status,
                            shown(output->output)));
  }

  // A value that names no file is no error here: the program would say so.
  std::vector<std::string> files_named(const std::string& value) const {
    std::string path = absolute_in(context_.fixed.at("directory"), value);
    if (!is_glob(path)) return {path};
    return expand_glob(path, context_.root);
  }

  Done read_file(const Source& source, const std::string& path, size_t at, size_t depth) {
    constexpr size_t kMostNested = 16;
    if (depth > kMostNested || tree_.files.size() > kMostFiles)
      return fail(Code::failed, "read", path, "files include each other too deeply");
    auto real = context_.root.real_path(path);
    if (!real) return pass(real);
    auto text = context_.root.files().read(*real, kConfigLimit);
    if (!text) return pass(text);
    tree_.files.push_back(context_.root.on_host(path));
    const size_t first = tree_.sections.size(), settings = tree_.sections[at].settings.size();
    read_format(source, *text, *real, false, at, tree_);
    read_included(source, {at, first, settings}, depth);
    return {};
  }

  // What one file added to the tree.
  struct Added {
    size_t at = 0;     // to this section, settings from the index `settings` on
    size_t first = 0;  // the first section of its own
    size_t settings = 0;
  };

  static bool names(const std::vector<std::string>& wanted, const Section& section,
                    const Setting& setting) {
    const std::string path = "/" + section.path + "/" + setting.name;
    return std::ranges::any_of(wanted, [&](const std::string& name) {
      return name == setting.name || path.ends_with("/" + name);
    });
  }

  // Sections of an included file stand beside those of the including one, or in the one that names
  // it.
  void read_included(const Source& source, const Added& added, size_t depth) {
    std::vector<std::pair<size_t, std::string>> further;
    auto look = [&](size_t section, const Setting& setting) {
      std::vector<std::string> paths;
      if (names(source.include, tree_.sections[section], setting))
        append(paths, files_named(setting.value));
      if (names(source.include_directories, tree_.sections[section], setting))
        append(paths, files_in(source, setting.value));
      for (std::string& path : paths)
        further.emplace_back(source.include_inside ? section : 0, std::move(path));
    };
    for (size_t i = added.settings; i < tree_.sections[added.at].settings.size(); ++i)
      look(added.at, tree_.sections[added.at].settings[i]);
    for (size_t i = added.first; i < tree_.sections.size(); ++i)
      for (const Setting& setting : tree_.sections[i].settings) look(i, setting);
    for (const auto& [section, path] : further)
      if (Done read = read_file(source, path, section, depth + 1); !read)
        note(context_.root.on_host(path), read.error().cause);
  }

  std::vector<std::string> files_in(const Source& source, const std::string& value) {
    const std::string directory = absolute_in(context_.fixed.at("directory"), value);
    auto real = context_.root.real_path(directory);
    auto names = real ? context_.root.files().list(*real) : pass(real);
    std::vector<std::string> paths;
    if (!names) return paths;
    tree_.directories.push_back(*real);
    for (const std::string& name : *names)
      if (!name.starts_with('.') && name.ends_with(source.include_ending))
        paths.push_back(directory + "/" + name);
    return paths;
  }

  const Description& description_;
  const ReadContext& context_;
  SettingsTree tree_;
};

}  // namespace

Result<std::string> program_path(const Files& files, const std::string& name) {
  std::vector<std::string> candidates = {name};
  if (!name.starts_with('/')) {
    candidates.clear();
    for (const char* directory : {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"})
      candidates.push_back(std::string(directory) + "/" + name);
  }
  for (const std::string& path : candidates) {
    auto info = files.stat(path);
    if (!info || info->kind != FileKind::regular) continue;
    if (std::string who = who_else_could_change(files, {path}); !who.empty())
      return fail(Code::denied, "run", path, who);
    return path;
  }
  return fail(Code::not_found, "find the program", name, "it is in none of the usual places",
              "install it");
}

Result<SettingsTree> read_settings(const Description& description, const ReadContext& context) {
  return SettingsReader(description, context).run();
}

}  // namespace certrebind::described
