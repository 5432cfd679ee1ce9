// Files and passwords as commands take them: by name, or "-" for standard input. So a password is
// never in an argument list.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "sys/files.h"

namespace certrebind {

struct TypedInput {
  std::string file;                // its content
  std::optional<Secret> password;  // unset: none was given

  const Secret* password_or_null() const { return password ? &*password : nullptr; }
};

// `password_from`: a file whose first line is the password, or "-"; empty: there is none. If both
// are "-", the first line of standard input is the password, and the rest is the file. An empty
// `file` is not read.
Result<TypedInput> read_input(const Files& files, const std::string& file,
                              const std::string& password_from);

// Asks on the terminal, and returns true for yes. False if nobody is there, or with --json.
bool is_confirmed(const std::string& question);

// Code::denied unless root runs this.
Done only_root(const std::string& doing, const std::string& subject);

}  // namespace certrebind
