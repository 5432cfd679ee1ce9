// A whole HAProxy configuration: the lines in effect of all its files, in HAProxy's reading order.
#pragma once

#include <deque>
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

// What the lines above a line make of the relative paths in it.
struct Bases {
  std::string directory;     // HAProxy's working directory, absolute inside the root
  std::string certificates;  // `crt-base` as written; empty: none
  std::string keys;          // `key-base` as written
  bool operator==(const Bases&) const = default;
};

// A keyword that begins a section ("frontend NAME", "global", …), or a line in a section.
struct Statement {
  Place place;
  std::vector<Word> words;
  const Bases* bases = nullptr;
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

// How HAProxy was started, as far as that affects what it reads.
struct Started {
  std::vector<std::string>
      paths;                    // of -f and "--": files and directories, absolute inside the root
  std::string directory = "/";  // base of relative paths
  std::map<std::string, std::string> environment;
  std::string peer;  // -L
  Build build;
};

struct Config {
  std::vector<std::unique_ptr<ConfigFile>> files;  // in reading order
  std::vector<Section> sections;
  std::vector<Diagnostic> diagnostics;
  std::vector<std::string>
      directories;          // directories that are searched for more files, on this host
  std::deque<Bases> bases;  // those of the statements
  Bases at_end;             // for what HAProxy loads after the last line
  std::string local_peer;   // its own name among peers; empty: unknown
};

// The index of the word with the addresses on which HAProxy listens; 0 for lines that have none.
// That of a `peer` line counts only if it names the local peer.
size_t address_word(const Statement& statement);

// True for the `peer` line of this peer.
bool is_local_peer(const Statement& statement, std::string_view local_peer);

// True if the section is configured and does not run.
bool is_disabled(const Section& section);

// A directory stands for its files "*.cfg" that do not begin with a dot, in byte order. Text that
// is not understood becomes a diagnostic. An error only if the first file cannot be read.
Result<Config> read_config(const Started& started, Root& root);

}  // namespace certrebind::haproxy
