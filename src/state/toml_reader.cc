#include "state/toml_reader.h"

#include "base/text.h"

namespace certrebind {

namespace {

std::string valid_instead(std::string_view typed, const std::set<std::string_view>& known) {
  const std::vector<std::string> names(known.begin(), known.end());
  const std::string meant = closest_to(typed, names);
  return (meant.empty() ? "" : "did you mean '" + meant + "'? ") + "valid: " + join(names, ", ");
}

}  // namespace

Result<toml::table> parse_toml(const std::string& file, const std::string& text) {
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    return fail(Code::usage, "use", fmt::format("{}:{}", file, error.source().begin.line),
                std::string(error.description()));
  }
}

void TomlReader::only(const toml::table& table, const std::set<std::string_view>& known) {
  for (const auto& [key, value] : table)
    if (!known.contains(key.str()))
      complain(key.source(), fmt::format("unknown setting '{}'", key.str()),
               valid_instead(key.str(), known));
}

const toml::table* TomlReader::table(std::string_view name) {
  const toml::node* node = root_.get(name);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) complain(node->source(), fmt::format("'{}' must be a table", name));
  return node->as_table();
}

std::string TomlReader::text(const toml::table& table, std::string_view name) {
  const toml::node* node = table.get(name);
  auto value = node ? node->value<std::string>() : std::nullopt;
  if (!value) complain(table.source(), fmt::format("'{}' must be given, as text", name));
  return value.value_or("");
}

void TomlReader::optional_text(const toml::table& table, std::string_view name, std::string& into) {
  const toml::node* node = table.get(name);
  if (node == nullptr) return;
  if (!node->is_string()) complain(node->source(), fmt::format("'{}' must be text", name));
  into = node->value_or(into);
}

void TomlReader::texts(const toml::table& table, std::string_view name,
                       std::vector<std::string>& into) {
  const toml::node* node = table.get(name);
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    complain(node->source(), fmt::format("'{}' must be a list of texts", name));
    return;
  }
  for (const toml::node& entry : *array) {
    if (!entry.is_string())
      complain(entry.source(), fmt::format("'{}' must be a list of texts", name));
    into.push_back(entry.value_or(std::string()));
  }
}

void TomlReader::boolean(const toml::table& table, std::string_view name, bool& into) {
  const toml::node* node = table.get(name);
  if (node == nullptr) return;
  if (!node->is_boolean())
    complain(node->source(), fmt::format("'{}' must be true or false", name));
  into = node->value_or(into);
}

void TomlReader::complain(const toml::source_region& at, std::string cause, std::string hint) {
  if (complaint_) return;
  complaint_ = Error{Code::usage, "use", fmt::format("{}:{}", file_, at.begin.line),
                     std::move(cause), std::move(hint)};
}

}  // namespace certrebind
