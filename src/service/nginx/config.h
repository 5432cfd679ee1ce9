// A whole nginx configuration: the main file and all included files, in nginx's reading order.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "service/nginx/tree.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::nginx {

struct ConfigFile {
  std::string path;  // nginx's name for the file, inside the root
  std::string real;  // real path on this host
  Tree tree;
};

// A directive where it takes effect; `include` is replaced by its content. Nodes are in one array:
// the content of the block at index i is [i + 1, next).
struct Node {
  const ConfigFile* file = nullptr;
  uint32_t directive = 0;
  uint32_t next = 0;

  const Directive& at() const { return file->tree.directives()[directive]; }
  std::string_view name() const { return file->tree.name(at()).value; }
  const Word& name_word() const { return file->tree.name(at()); }
  std::span<const Word> arguments() const { return file->tree.arguments(at()); }
};

Span span_of(const ConfigFile& file, const Word& word);
Diagnostic diagnostic_at(Severity severity, const ConfigFile& file, const Word& word,
                         std::string message);

struct Config {
  std::string directory;                           // nginx's conf_prefix, inside the root
  std::vector<std::unique_ptr<ConfigFile>> files;  // in reading order, each once
  std::vector<Node> nodes;
  std::vector<Diagnostic> diagnostics;   // errors that nginx would report while reading
  std::vector<std::string> directories;  // directories that `include` searches, on this host
};

// Takes the main file's absolute path inside the root. Returns the configuration as far as it can
// be read. Anything else, such as a missing or circular include, becomes a diagnostic. Relative
// names start at the main file's directory (ngx_conf_full_name with conf_prefix). An error only if
// the main file cannot be read.
Result<Config> read_config(const std::string& main_file, Root& root);

}  // namespace certrebind::nginx
