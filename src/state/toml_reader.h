// Reads TOML files that people write. Every error names file and line (Code::usage).
#pragma once

#include <fmt/format.h>

#include <toml++/toml.h>

#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/result.h"

namespace certrebind {

// Code::usage with file and line if the text is not TOML.
Result<toml::table> parse_toml(const std::string& file, const std::string& text);

// Reads the tables of one file and remembers the first error. A missing key leaves its variable
// unchanged.
class TomlReader {
 public:
  TomlReader(std::string file, const toml::table& root) : file_(std::move(file)), root_(root) {}

  void only(const toml::table& table, const std::set<std::string_view>& known);
  // A table below the root.
  const toml::table* table(std::string_view name);
  // Also reports a missing key as an error.
  std::string text(const toml::table& table, std::string_view name);
  void optional_text(const toml::table& table, std::string_view name, std::string& into);
  void texts(const toml::table& table, std::string_view name, std::vector<std::string>& into);
  void boolean(const toml::table& table, std::string_view name, bool& into);

  template <class T>
  void number(const toml::table& table, std::string_view name, double least, double most, T& into) {
    const toml::node* node = table.get(name);
    if (node == nullptr) return;
    auto value = node->value<double>();
    bool whole = !std::is_integral_v<T> || node->is_integer();
    if (!value || !(*value >= least && *value <= most) || !whole) {
      complain(node->source(), fmt::format("'{}' must be a {}number from {} to {}", name,
                                           std::is_integral_v<T> ? "whole " : "", least, most));
      return;
    }
    into = static_cast<T>(*value);
  }

  void complain(const toml::source_region& at, std::string cause, std::string hint = {});
  const std::optional<Error>& complaint() const { return complaint_; }

 private:
  std::string file_;
  const toml::table& root_;
  std::optional<Error> complaint_;
};

}  // namespace certrebind
