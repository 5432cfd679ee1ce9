// A crt-list: lines "FILE [OPTIONS] FILTER…" (HAProxy 2.6, crtlist_parse_line).
#pragma once

#include <string>
#include <vector>

#include "service/haproxy/config.h"

namespace certrebind::haproxy {

struct ListEntry {
  Place place;
  Word certificate;
  std::vector<std::string> filters;  // lower case; "!" precedes excluded names
  std::vector<std::string> options;  // between the brackets
};

struct List {
  std::vector<ListEntry> entries;
  std::vector<Diagnostic> diagnostics;
};

// Blanks separate words, and nothing escapes them. "#" begins a comment only at the start of a
// line; elsewhere it is part of a filter.
List parse_list(const ConfigFile& file);

}  // namespace certrebind::haproxy
