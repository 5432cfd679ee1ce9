#include "acts/mentions.h"

#include <algorithm>

#include "base/text.h"

namespace certrebind {

namespace {

// What ends a word in the configuration of every kind of server.
constexpr std::string_view kBetweenWords = " \t\r\n\"';,";

// Not the beginning of a longer name.
bool ends_there(std::string_view rest) {
  return rest.empty() || rest.front() == '/';
}

// "/etc/certrebind/certificates/NAME", or the same relative to any directory above.
bool names_home(std::string_view word, const OwnCertificate& own) {
  const std::string home = file_name(own.directory) + "/" + own.name;
  const size_t at = word.find(home);
  return at != std::string_view::npos && ends_there(word.substr(at + home.size()));
}

// "NAME/current/cert.pem" or "NAME/0001/cert.pem", where the directory is named elsewhere.
bool names_file(std::string_view word, const OwnCertificate& own) {
  const std::string inside = own.name + "/";
  const size_t at = word.find(inside);
  if (at == std::string_view::npos || (at > 0 && word[at - 1] != '/')) return false;
  const std::string_view rest = word.substr(at + inside.size());
  return rest.starts_with("current") || rest.starts_with("0");
}

// $name, ${name} and %{name}: a variable, depending on the kind of server.
bool may_lead_there(std::string_view word, const OwnCertificate& own) {
  const size_t variable = word.find_first_of("$%");
  if (variable == std::string_view::npos) return false;
  const std::string_view before = word.substr(0, variable);
  return (before.size() > 1 && (own.home() + "/").starts_with(before)) ||
         before.ends_with(file_name(own.directory) + "/") ||
         (word.find("/current/") != std::string_view::npos && word.ends_with(".pem"));
}

bool is_mentioned(std::string_view line, const OwnCertificate& own) {
  while (!line.empty()) {
    const std::string_view word = line.substr(0, line.find_first_of(kBetweenWords));
    if (names_home(word, own) || names_file(word, own) || may_lead_there(word, own)) return true;
    line.remove_prefix(std::min(line.size(), word.size() + 1));
  }
  return false;
}

}  // namespace

int line_mentioning(std::string_view text, const OwnCertificate& own) {
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (is_mentioned(line, own)) return number;
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return 0;
}

}  // namespace certrebind
