// Where a description finds settings: [[read]] of certrebind-services(5).
#pragma once

#include <string>
#include <vector>

namespace certrebind::described {

// How the text of a configuration is divided into settings and sections (formats.h).
enum class Format {
  assignments,
  words,
  ini,
  blocks,
  json,
  yaml,
  lua,
  options,
  postfix_master,
  lookup_table,
};

// One source of settings. All sources of a description are read into one tree.
struct Source {
  std::vector<std::string> when = {};  // conditions on what was read before (template.h)
  Format format = Format::assignments;
  // The file, as a template (template.h). Not used if there is a command or `arguments`.
  std::string file = "{configuration}";
  // Prints the configuration: an argument vector of templates. Empty: the file is read.
  std::vector<std::string> command = {};
  // Root runs it, although the server runs as a user: only for a configuration that nobody but root
  // could change and that this user can read.
  bool as_root = false;
  bool arguments = false;  // the settings are the process's own arguments
  // Text in this format: settings that hold where nothing that was read before says otherwise.
  std::string defaults = {};
  // Names of settings whose values are further files; "section/name" for those of one section.
  std::vector<std::string> include = {};
  bool include_inside = false;  // the sections of such a file lie in the section that names it
  std::vector<std::string> include_directories = {};  // … or directories of further files
  std::string include_ending = {};                    // only files with this ending are read there
  // Format::words: names of settings that begin a section.
  std::vector<std::string> sections = {};
  bool optional = false;  // the file may be missing
  // A template for a pattern of files. Nothing is read: each file that fits is a section "file"
  // with its path as argument, and as the setting `file`.
  std::string files = {};
  bool only_last = false;  // only the last of these files
  // Format::lookup_table: `file` names tables, TYPE:PATH. The program reads the text of a table of
  // one of these types itself …
  std::vector<std::string> types = {};
  // … and of these a compiled copy, which `rebuild` makes of the text. A table without a type is of
  // the first of these.
  std::vector<std::string> compiled = {};
  std::vector<std::string> rebuild = {};  // templates, with {table}
};

}  // namespace certrebind::described
