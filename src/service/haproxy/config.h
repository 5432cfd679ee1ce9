// A whole HAProxy configuration: all its files, in the order in which HAProxy reads them, as lines
// that are in effect.
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
  std::string path;  // as HAProxy names it, inside the root
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

// "frontend NAME", "global", …: a keyword that begins a section, and the lines in it.
struct Statement {
  Place place;
  std::vector<Word> words;
  // A condition above it could not be judged: whether it is in effect is not known.
  bool doubtful = false;

  std::string_view word(size_t index) const {
    return index < words.size() ? std::string_view(words[index].value) : std::string_view();
  }
};

struct Section {
  Statement head;
  std::vector<Statement> statements;
};

// What HAProxy was started with, as far as it decides what is read.
struct Started {
  std::vector<std::string>
      paths;                    // of -f and "--": files and directories, absolute inside the root
  std::string directory = "/";  // relative paths begin here
  std::map<std::string, std::string> environment;
  Build build;
};

struct Config {
  std::vector<std::unique_ptr<ConfigFile>> files;  // in the order of reading
  std::vector<Section> sections;
  std::vector<Diagnostic> diagnostics;
  std::vector<std::string> directories;  // in which further files would be found, on this host
};

// A directory stands for its files "*.cfg" that do not begin with a dot, in byte order. What cannot
// be understood becomes a diagnostic. An error only if the first file cannot be read.
Result<Config> read_config(const Started& started, Root& root);

}  // namespace certrebind::haproxy
