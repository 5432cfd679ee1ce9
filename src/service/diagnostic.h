// A place in a configuration, and what there is to say of it.
#pragma once

#include <compare>
#include <string>
#include <vector>

namespace certrebind {

// The position of a value in a configuration file.
struct Span {
  std::string file;  // real path on this host
  size_t begin = 0;  // byte offsets of the value as written, quotes included
  size_t end = 0;
  int line = 0;    // from 1; 0: a program printed the value
  int column = 0;  // from 1, in bytes
  // "FILE:LINE"; of a value that a program printed only the file.
  std::string text() const { return line == 0 ? file : file + ":" + std::to_string(line); }
  auto operator<=>(const Span&) const = default;
};

enum class Severity { note, warning, error };

// A note, warning or error about a configuration, with its position.
struct Diagnostic {
  Severity severity = Severity::warning;
  std::string file;
  int line = 0;  // 0: the whole file
  int column = 0;
  std::string message;
  bool hidden = false;                  // about a server that this user may not inspect
  std::vector<std::string> sites = {};  // the sites that it is about, if it is about some only
  std::string text() const;             // "file:line:column: message"
};

}  // namespace certrebind
