// A whole Apache httpd configuration: the main file and all included files, in httpd's reading
// order. Conditions are evaluated, variables expanded and macros unrolled.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/apache/tree.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::apache {

struct ConfigFile {
  std::string path;  // httpd's name for the file, inside the root
  std::string real;  // real path on this host
  Tree tree;
};

struct Version {
  int major = 2;
  int minor = 4;
  int patch = 0;
  auto operator<=>(const Version&) const = default;
};

// The inputs from outside the configuration that affect how it is read.
struct Given {
  std::string main_file;                           // absolute, inside the root
  std::string server_root;                         // -d, or the compiled-in value
  std::vector<std::string> defines;                // -D
  std::map<std::string, std::string> environment;  // for ${NAME}
  std::vector<std::string> modules;                // compiled in, as `-l` lists them: "mod_so.c"
  std::vector<std::string> directives_before;      // -C
  std::vector<std::string> directives_after;       // -c
  Version version;
  size_t most_directives = 4'000'000;  // stops includes and macros that multiply
};

// A directive, or a section with its content [i + 1, next), where it takes effect.
struct Node {
  const ConfigFile* file = nullptr;
  std::span<const Word> words;  // the name first; never empty
  uint32_t next = 0;
  bool section = false;

  std::string_view name() const { return words.front().value; }
  bool is(std::string_view wanted) const { return same_name(name(), wanted); }
  std::span<const Word> arguments() const { return words.subspan(1); }
};

// One argument of a directive, and the file that contains it. Null if there is none.
struct Value {
  const ConfigFile* file = nullptr;
  const Word* word = nullptr;

  explicit operator bool() const { return word != nullptr; }
  std::string_view text() const { return word->value; }
  Span span() const;
};

Diagnostic diagnostic_at(Severity severity, const ConfigFile& file, const Word& word,
                         std::string message);

struct Config {
  std::string server_root;                         // inside the root
  std::vector<std::unique_ptr<ConfigFile>> files;  // in reading order, each once
  std::vector<Node> nodes;
  std::vector<std::string> modules;  // compiled-in and loaded modules: "mod_ssl.c", "ssl_module"
  std::vector<Diagnostic>
      diagnostics;  // errors that httpd would report, and what was not understood
  std::vector<std::string> directories;  // directories that includes search, on this host

  std::vector<std::string> loads;  // modules and libraries, inside the root
  std::vector<std::string> whole;  // the subset of `directories` in which httpd reads every file

  bool has_module(std::string_view name) const;

  // The words of unrolled lines point into this.
  DecodedWords decoded;
  std::vector<std::unique_ptr<std::vector<Word>>> unrolled;
};

// Returns the configuration as far as it can be read; anything else becomes a diagnostic. An error
// only if the main file cannot be read.
Result<Config> read_config(const Given& given, Root& root);

}  // namespace certrebind::apache
