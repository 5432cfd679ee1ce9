// Result<T> and Error: how every room reports what could not be done.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace certrebind {

// Only what some caller branches on has a code of its own.
enum class Code {
  failed,       // anything that no caller treats specially
  not_found,    // the file, name or thumbprint does not exist
  exists,       // something is there already
  denied,       // the system refuses us the right
  unsupported,  // this system or file system cannot do it
  busy,         // somebody else holds the lock
  timed_out,    // the deadline passed
  usage,        // what was typed makes no sense
  damaged,      // the database: it has to be rebuilt
};

// What went wrong, in parts, so that the edge can render it for people and programs.
struct Error {
  Code code = Code::failed;
  std::string doing;    // "read", "parse", "exchange": the act, as an infinitive
  std::string subject;  // what it was done to: a path, path:line:column, an argument
  std::string cause;    // why it failed, a fact
  std::string hint;     // what to do next; may be empty

  // One sentence: "cannot DOING SUBJECT: CAUSE". The hint is rendered apart.
  [[nodiscard]] std::string message() const;
};

// A value or an Error. Dropping one is a compile error.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  Result() = default;
};

using Done = Result<void>;

inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}
inline std::unexpected<Error> fail(Code code, std::string doing, std::string subject,
                                   std::string cause, std::string hint = {}) {
  return std::unexpected<Error>(
      Error{code, std::move(doing), std::move(subject), std::move(cause), std::move(hint)});
}

// Hands the error of a Result on to the caller.
template <class T>
std::unexpected<Error> pass(Result<T>& failed) {
  return std::unexpected<Error>(std::move(failed).error());
}

}  // namespace certrebind
