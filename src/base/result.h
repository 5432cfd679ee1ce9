// Result<T> and Error: how every directory of the source reports failures.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace certrebind {

// A code exists only if some caller branches on it.
enum class Code {
  failed,       // anything that no caller treats specially
  not_found,    // the file, name or thumbprint does not exist
  exists,       // the target exists already
  denied,       // the system denies permission
  unsupported,  // this system or file system does not support it
  busy,         // another process holds the lock
  timed_out,    // the deadline passed
  usage,        // invalid command-line usage
  damaged,      // the database is damaged and must be rebuilt
};

// An error in parts, so that the command line can render it for people and for programs.
struct Error {
  Code code = Code::failed;
  std::string doing;    // the action, as an infinitive: "read", "parse", "exchange"
  std::string subject;  // the object of the action: a path, path:line:column, an argument
  std::string cause;    // the reason, as a fact
  std::string hint;     // the next step for the user; may be empty

  // One sentence: "cannot DOING SUBJECT: CAUSE". The hint is rendered separately.
  [[nodiscard]] std::string message() const;
};

// A value or an Error. Ignoring a Result is a compile error.
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

// Returns the error of a Result to the caller.
template <class T>
std::unexpected<Error> pass(Result<T>& failed) {
  return std::unexpected<Error>(std::move(failed).error());
}

}  // namespace certrebind
