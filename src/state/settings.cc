#include "state/settings.h"

#include <fmt/format.h>

#include <toml++/toml.h>

#include <set>
#include <sstream>

#include "base/text.h"

namespace certrebind {

namespace {

// Reads one file's tables, remembering the first complaint.
class Reader {
 public:
  Reader(std::string file, const toml::table& root) : file_(std::move(file)), root_(root) {}

  void only(const toml::table& table, const std::set<std::string_view>& known) {
    for (const auto& [key, value] : table)
      if (!known.contains(key.str()))
        complain(key.source(), fmt::format("the setting '{}' is not known", key.str()),
                 "known here: " + join({known.begin(), known.end()}, ", "));
  }

  const toml::table* table(std::string_view name) {
    const toml::node* node = root_.get(name);
    if (node == nullptr) return nullptr;
    if (!node->is_table()) complain(node->source(), fmt::format("'{}' must be a table", name));
    return node->as_table();
  }

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

  std::string text(const toml::table& table, std::string_view name) {
    const toml::node* node = table.get(name);
    auto value = node ? node->value<std::string>() : std::nullopt;
    if (!value) complain(table.source(), fmt::format("'{}' must be given, as text", name));
    return value.value_or("");
  }

  // Absent: empty.
  std::vector<std::string> texts(const toml::table& table, std::string_view name) {
    const toml::node* node = table.get(name);
    if (node == nullptr) return {};
    std::vector<std::string> all;
    const toml::array* array = node->as_array();
    if (array != nullptr)
      for (const toml::node& entry : *array)
        if (auto text = entry.value<std::string>()) all.push_back(*text);
    if (array == nullptr || all.empty() || all.size() != array->size())
      complain(node->source(), fmt::format("'{}' must be a list of texts", name));
    return all;
  }

  void complain(const toml::source_region& at, std::string cause, std::string hint = {}) {
    if (complaint_) return;
    complaint_ = Error{Code::usage, "use", fmt::format("{}:{}", file_, at.begin.line),
                       std::move(cause), std::move(hint)};
  }

  const std::optional<Error>& complaint() const { return complaint_; }

 private:
  std::string file_;
  const toml::table& root_;
  std::optional<Error> complaint_;
};

void read_stores(Reader& reader, const toml::table& root, Settings& settings) {
  const toml::node* node = root.get("store");
  if (node == nullptr) return;
  if (!node->is_array_of_tables()) {
    reader.complain(node->source(), "stores are written as [[store]] tables");
    return;
  }
  for (const toml::node& entry : *node->as_array()) {
    const toml::table& store = *entry.as_table();
    reader.only(store, {"kind", "path", "renew"});
    settings.stores.push_back({.kind = reader.text(store, "kind"),
                               .path = reader.text(store, "path"),
                               .renew = reader.texts(store, "renew")});
  }
}

void read_into(Reader& reader, const toml::table& root, Settings& settings) {
  reader.only(root, {"store", "default_stores", "check", "verify", "history"});
  if (const toml::node* node = root.get("default_stores")) {
    if (!node->is_boolean())
      reader.complain(node->source(), "'default_stores' must be true or false");
    if (!node->value_or(true)) settings.stores.clear();
  }
  read_stores(reader, root, settings);
  if (const toml::table* check = reader.table("check")) {
    reader.only(*check, {"expiry_fraction", "expiry_days"});
    reader.number(*check, "expiry_fraction", 0, 1, settings.expiry_fraction);
    reader.number(*check, "expiry_days", 0, 3650, settings.expiry_days);
  }
  if (const toml::table* verify = reader.table("verify")) {
    reader.only(*verify, {"seconds", "handshake_seconds"});
    double seconds = static_cast<double>(settings.verify_at_least.count()) / 1000;
    double handshake = static_cast<double>(settings.handshake_deadline.count()) / 1000;
    reader.number(*verify, "seconds", 1, 3600, seconds);
    reader.number(*verify, "handshake_seconds", 0.1, 600, handshake);
    settings.verify_at_least = milliseconds(static_cast<int64_t>(seconds * 1000));
    settings.handshake_deadline = milliseconds(static_cast<int64_t>(handshake * 1000));
  }
  if (const toml::table* history = reader.table("history")) {
    reader.only(*history, {"keep_days"});
    reader.number(*history, "keep_days", 1, 3650, settings.keep_days);
  }
}

}  // namespace

Result<Settings> load_settings(const Files& files, Settings settings, bool must_exist) {
  auto text = files.read(settings.config_file, kPemLimit);
  if (!text && text.error().code == Code::not_found && !must_exist) return settings;
  if (!text) return pass(text);
  try {
    toml::table root = toml::parse(*text, settings.config_file);
    Reader reader(settings.config_file, root);
    read_into(reader, root, settings);
    if (reader.complaint()) return fail(*reader.complaint());
    return settings;
  } catch (const toml::parse_error& error) {
    return fail(Code::usage, "use",
                fmt::format("{}:{}", settings.config_file, error.source().begin.line),
                std::string(error.description()));
  }
}

}  // namespace certrebind
