// The answer of a command for programs (--json): one object on standard output. Every command's
// answer has the same frame, which is made here: `schema`, `changed`, and `error` after a failure.
// certrebind-json(5) documents the keys.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace certrebind {

using Json = nlohmann::ordered_json;

// Grows when a key is removed or changes its meaning. New keys do not count.
inline constexpr int kSchema = 1;

// From now on the answer is one JSON object, and `print` writes to standard error. `false` takes
// that back.
void answer_in_json(bool wanted);
bool answers_in_json();

// Adds these keys to the answer. Does nothing unless it is in JSON.
void print_json(const Json& fields);
// Prints one line of an answer that has no end (events --follow), at once.
void print_json_line(const Json& line);

// The command changed something on this machine. certrebind's own notes of what it saw do not
// count.
void note_change();

// Why a command failed.
struct Failure {
  std::string message;
  std::string served = {};  // what the servers serve now; empty: as before if nothing changed
  std::string next = {};    // the next command or decision; may be empty
};
// The first failure becomes the `error` of the answer, if the command's exit code is not 0.
void note_failure(Failure failure);

// Prints the whole answer. Call it once, when the command has ended.
void print_answer(int exit_code);

}  // namespace certrebind
