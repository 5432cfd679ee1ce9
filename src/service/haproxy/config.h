// A whole HAProxy configuration: the lines in effect of all its files, in HAProxy's reading order.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/haproxy/condition.h"
#include "service/haproxy/lexer.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::haproxy {

struct ConfigFile {
  std::string path;  // HAProxy's name for the file, inside the root
  std::string real;  // real path on this host
  std::string text;
};

// A line of a configuration file or of a crt-list.
struct Place {
  const ConfigFile* file = nullptr;
  int line = 0;      // from 1
  size_t begin = 0;  // its first byte in the file
};

Span span_of(const Place& place, const Word& word);
std::string written_at(const Place& place, const Word& word);
Diagnostic diagnostic_at(Severity severity, const Place& place, size_t column, std::string message);

// A keyword that begins a section ("frontend NAME", "global", …), or a line in a section.
struct Statement {
  Place place;
  std::vector<Word> words;
  // A condition above it could not be evaluated, so it is unknown whether the line is in effect.
  bool doubtful = false;

  std::string_view word(size_t index) const {
    return index < words.size() ? std::string_view(words[index].value) : std::string_view();
  }
};

struct Section {
  Statement head;
  std::vector<Statement> statements;
};

// The start arguments of HAProxy that affect which files are read.
struct Started {
  std::vector<std::string>
      paths;                    // of -f and "--": files and directories, absolute inside the root
  std::string directory = "/";  // base of relative paths
  std::map<std::string, std::string> environment;
  Build build;
};

struct Config {
  std::vector<std::unique_ptr<ConfigFile>> files;  // in reading order
  std::vector<Section> sections;
  std::vector<Diagnostic> diagnostics;
  std::vector<std::string>
      directories;  // directories that are searched for more files, on this host
};

// A directory stands for its files "*.cfg" that do not begin with a dot, in byte order. Text that
// is not understood becomes a diagnostic. An error only if the first file cannot be read.
Result<Config> read_config(const Started& started, Root& root);

}  // namespace certrebind::haproxy
