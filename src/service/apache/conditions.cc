#include "service/apache/conditions.h"

#include <fmt/format.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <charconv>
#include <memory>

#include "base/text.h"

namespace certrebind::apache {

namespace {

// Modules whose source file is not named after the shared object.
struct OddName {
  std::string_view object;
  std::string_view source;
};
constexpr std::array kOddNames = {
    OddName{"mod_mpm_event", "event.c"},     OddName{"mod_mpm_worker", "worker.c"},
    OddName{"mod_mpm_prefork", "prefork.c"}, OddName{"mod_ldap", "util_ldap.c"},
    OddName{"libphp", "mod_php.c"},          OddName{"libphp5", "mod_php5.c"},
    OddName{"libphp7", "mod_php7.c"}};

std::string source_file(std::string_view object) {
  std::string name = file_name(object);
  if (name.ends_with(".so")) name.resize(name.size() - 3);
  if (name.starts_with("libphp") && name.find('.') != std::string::npos)
    name.resize(name.find('.'));
  for (const OddName& odd : kOddNames)
    if (name == odd.object) return std::string(odd.source);
  return name + ".c";
}

std::optional<Version> parse_version(std::string_view text) {
  Version version{0, 0, 0};
  int* parts[] = {&version.major, &version.minor, &version.patch};
  for (int* part : parts) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *part);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (text.empty()) return version;
    if (text[0] != '.') return std::nullopt;
    text.remove_prefix(1);
  }
  return std::nullopt;
}

bool is_equals(std::string_view sign) {
  return sign == "=" || sign == "==" || sign.empty();
}

// Matches as httpd does, with the same library. Unset if the library rejects the pattern.
std::optional<bool> matches(std::string_view pattern, std::string_view text) {
  auto bytes = [](std::string_view view) { return reinterpret_cast<PCRE2_SPTR>(view.data()); };
  int error = 0;
  PCRE2_SIZE at = 0;
  std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code(
      pcre2_compile(bytes(pattern), pattern.size(), 0, &error, &at, nullptr), pcre2_code_free);
  if (!code) return std::nullopt;
  std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> found(
      pcre2_match_data_create_from_pattern(code.get(), nullptr), pcre2_match_data_free);
  return pcre2_match(code.get(), bytes(text), text.size(), 0, 0, found.get(), nullptr) >= 0;
}

// The pattern in "~ PATTERN" or "= /PATTERN/".
std::optional<std::string_view> pattern_of(std::string_view sign, std::string_view wanted) {
  if (sign == "~") return wanted;
  bool slashes = wanted.size() > 1 && wanted.starts_with('/') && wanted.ends_with('/');
  if (slashes && is_equals(sign)) return wanted.substr(1, wanted.size() - 2);
  return std::nullopt;
}

}  // namespace

std::vector<std::string> module_names(std::string_view identifier, std::string_view file) {
  return {std::string(identifier), source_file(file)};
}

std::string module_identifier(std::string_view source_file) {
  std::string_view stem = source_file.substr(0, source_file.rfind('.'));
  if (stem == "http_core") return "http_module";
  if (stem == "event" || stem == "worker" || stem == "prefork")
    return "mpm_" + std::string(stem) + "_module";
  if (stem.starts_with("mod_")) stem.remove_prefix(4);
  return std::string(stem) + "_module";
}

std::optional<bool> version_fits(const Version& version, std::span<const Word> arguments) {
  std::string_view sign = "=";
  std::string_view wanted;
  if (arguments.size() == 1) {
    wanted = arguments[0].value;
  } else if (arguments.size() == 2) {
    sign = arguments[0].value;
    wanted = arguments[1].value;
  } else {
    return std::nullopt;
  }
  bool negated = sign.starts_with('!');
  if (negated) sign.remove_prefix(1);
  if (auto pattern = pattern_of(sign, wanted)) {
    auto found =
        matches(*pattern, fmt::format("{}.{}.{}", version.major, version.minor, version.patch));
    return found ? std::optional(*found != negated) : std::nullopt;
  }
  auto other = parse_version(wanted);
  if (!other) return std::nullopt;
  bool fits = false;
  if (is_equals(sign)) {
    fits = version == *other;
  } else if (sign == ">") {
    fits = version > *other;
  } else if (sign == ">=") {
    fits = version >= *other;
  } else if (sign == "<") {
    fits = version < *other;
  } else if (sign == "<=") {
    fits = version <= *other;
  } else {
    return std::nullopt;
  }
  return fits != negated;
}

}  // namespace certrebind::apache
