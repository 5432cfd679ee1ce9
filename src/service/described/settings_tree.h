// A configuration as a tree of sections with settings, whatever its format.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "service/diagnostic.h"

namespace certrebind::described {

struct Setting {
  std::string name;
  std::string value;  // without quotes
  Span where;         // of the value as written; line 0: a program printed it
  std::string written;
};

// Sections inherit the settings of the section around them.
struct Section {
  // The names of the sections from the outermost on, with "/" between them:
  // "service imap-login/inet_listener imaps". Empty for the whole configuration.
  std::string path;
  std::string argument;  // of the innermost: "imaps"
  size_t parent = 0;
  std::vector<Setting> settings = {};
};

// A table of which the program reads a compiled copy.
struct CompiledTable {
  std::string table;                 // as the configuration names it: "hash:/etc/postfix/sni"
  std::vector<std::string> rebuild;  // makes the copy: templates, with {table}
};
// A configuration has fewer; of one that has more the rest is not read.
inline constexpr size_t kMostSections = 100'000;
// Of further things that are not understood only their number would be news.
inline constexpr size_t kMostComplaints = 100;

struct SettingsTree {
  std::vector<Section> sections = {Section{}};  // the first is the whole configuration
  std::vector<Diagnostic> diagnostics = {};
  std::vector<std::string> files = {};        // read, as named, on this host
  std::vector<std::string> directories = {};  // searched for further files
  std::vector<CompiledTable> compiled = {};
  std::string version = {};  // of the program, if the description asks for it
  std::unordered_map<std::string, std::vector<size_t>> by_path = {};  // sections, in order

  // Adds a section and returns its index.
  size_t open(size_t parent, std::string_view type, std::string_view argument);
  // Adds the settings of `others` that are not set here, section by section.
  void add_missing(const SettingsTree& others);
  // The last value of a setting, in this section only; "inner/name" is the setting of a section in
  // it, the first of that path. Null if there is none.
  const Setting* own(size_t section, std::string_view name) const;
  // The same, or else from the sections around it.
  const Setting* find(size_t section, std::string_view name) const;
  // True if `inner` is this section or lies in it.
  bool is_within(size_t inner, size_t outer) const;
};

// True if a section's path fits this pattern, in which "*" stands for any bytes.
bool fits_section(std::string_view pattern, const Section& section);

}  // namespace certrebind::described
