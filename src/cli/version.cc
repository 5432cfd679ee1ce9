#include "cli/version.h"

#include <fmt/format.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <sqlite3.h>

#include <array>

#include "x509/openssl_version.h"

namespace certrebind {

namespace {

std::string pcre2_version() {
  std::array<char, 64> text{};
  pcre2_config(PCRE2_CONFIG_VERSION, text.data());
  return text.data();
}

}  // namespace

std::string version_text() {
  return fmt::format("certrebind {} (commit {})\n{}, SQLite {}, PCRE2 {}", CERTREBIND_VERSION,
                     CERTREBIND_COMMIT, openssl_version(), sqlite3_libversion(), pcre2_version());
}

}  // namespace certrebind
