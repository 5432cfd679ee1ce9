#include "cli/typed_input.h"

#include <iostream>

#include "base/text.h"
#include "cli/context.h"
#include "cli/output.h"
#include "sys/guard.h"
#include "sys/processes.h"
#include "sys/standard_input.h"

namespace certrebind {

namespace {

constexpr size_t kPasswordLimit = 4096;

// The first line without its end; `text` keeps the rest. Overwrites the password there.
std::string take_first_line(std::string& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string line = text.substr(0, end);
  std::string rest = end < text.size() ? text.substr(end + 1) : "";
  Secret::wipe(text);
  text = std::move(rest);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

Result<Secret> password_in(std::string& text) {
  Secret password(take_first_line(text));
  if (password.text().size() > kPasswordLimit || password.text().find('\0') != std::string::npos)
    return fail(Code::usage, "use", "the password", "it is too long, or has a zero byte");
  return password;
}

}  // namespace

Result<TypedInput> read_input(const Files& files, const std::string& file,
                              const std::string& password_from) {
  TypedInput input;
  std::string from_stdin;
  if (file == "-" || password_from == "-") {
    auto read = read_standard_input(kPemLimit);
    if (!read) return pass(read);
    from_stdin = std::move(*read);
  }
  if (!password_from.empty()) {
    auto text = password_from == "-" ? Result<std::string>(std::move(from_stdin))
                                     : files.read(absolute(password_from), kPemLimit);
    if (!text) return pass(text);
    auto password = password_in(*text);
    if (!password) return pass(password);
    input.password = std::move(*password);
    if (password_from == "-") from_stdin = std::move(*text);
  }
  if (file.empty()) return input;
  auto content = file == "-" ? Result<std::string>(std::move(from_stdin))
                             : files.read(absolute(file), kPemLimit);
  if (!content) return pass(content);
  input.file = std::move(*content);
  return input;
}

bool is_confirmed(const std::string& question) {
  if (answers_in_json() || !stdin_is_terminal()) return false;
  print_line(question + " [y/N]");
  std::string typed;
  std::getline(std::cin, typed);
  const std::string answer = to_lower(trim(typed));
  return answer == "y" || answer == "yes";
}

Done only_root(const std::string& doing, const std::string& subject) {
  if (own_user() == 0) return {};
  return fail(Code::denied, doing, subject, "only root may change certrebind's certificates",
              "run it as root");
}

}  // namespace certrebind
