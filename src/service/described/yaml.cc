#include "service/described/yaml.h"

#include <yaml.h>

#include "service/described/settings_tree.h"

namespace certrebind::described {

namespace {

using Json = nlohmann::json;

constexpr int kDeepestYaml = 64;

class YamlReader {
 public:
  YamlReader(const std::string& text, const std::string& file, std::vector<Diagnostic>& diagnostics)
      : file_(file), diagnostics_(diagnostics) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  ~YamlReader() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;

  Json run() {
    while (next() && event_.type != YAML_DOCUMENT_START_EVENT)
      if (event_.type == YAML_STREAM_END_EVENT) return {};
    return next() ? value(0) : Json();
  }

 private:
  // False after a mistake, and from then on.
  bool next() {
    if (has_failed_) return false;
    yaml_event_delete(&event_);
    if (yaml_parser_parse(&parser_, &event_) != 0) return true;
    event_ = {};
    return fail(parser_.problem_mark.line,
                parser_.problem == nullptr ? "it is no YAML" : parser_.problem);
  }

  bool fail(size_t line, const std::string& message) {
    has_failed_ = true;
    diagnostics_.push_back(
        {Severity::warning, file_, static_cast<int>(line) + 1, 0, "not read further: " + message});
    return false;
  }

  // The value whose first event is the present one.
  Json value(int depth) {
    if (depth > kDeepestYaml) {
      fail(event_.start_mark.line, "it is nested too deeply");
      return {};
    }
    if (event_.type == YAML_MAPPING_START_EVENT) return mapping(depth);
    if (event_.type == YAML_SEQUENCE_START_EVENT) return sequence(depth);
    if (event_.type == YAML_SCALAR_EVENT) return scalar();
    if (event_.type == YAML_ALIAS_EVENT && ++aliases_ <= kMostComplaints)
      diagnostics_.push_back({Severity::warning, file_,
                              static_cast<int>(event_.start_mark.line) + 1, 0,
                              "certrebind does not follow aliases"});
    return "";
  }

  Json mapping(int depth) {
    Json values = Json::object();
    while (next() && event_.type != YAML_MAPPING_END_EVENT) {
      const Json name = value(depth + 1);
      if (!next()) break;
      Json each = value(depth + 1);
      if (name.is_string()) values[name.get<std::string>()] = std::move(each);
    }
    return values;
  }

  Json sequence(int depth) {
    Json values = Json::array();
    while (next() && event_.type != YAML_SEQUENCE_END_EVENT) values.push_back(value(depth + 1));
    return values;
  }

  std::string scalar() const {
    const auto& scalar = event_.data.scalar;
    std::string text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    const bool is_null =
        scalar.plain_implicit != 0 && (text == "~" || text == "null" || text == "Null");
    return is_null ? "" : text;
  }

  const std::string& file_;
  std::vector<Diagnostic>& diagnostics_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool has_failed_ = false;
  size_t aliases_ = 0;
};

}  // namespace

nlohmann::json read_yaml(const std::string& text, const std::string& file,
                         std::vector<Diagnostic>& diagnostics) {
  return YamlReader(text, file, diagnostics).run();
}

}  // namespace certrebind::described
