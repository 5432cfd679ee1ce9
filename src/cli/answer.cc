#include "cli/answer.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"

namespace certrebind {

namespace {

// A process gives one answer.
struct Answer {
  bool in_json = false;
  bool in_lines = false;  // lines were printed already
  bool changed = false;
  Json fields = Json::object();
  std::optional<Failure> failure;
};

Answer& the_answer() {
  static Answer answer;
  return answer;
}

// Invalid UTF-8 is replaced.
void write_json(const Json& json, int indent) {
  const std::string text =
      escaped_json(json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace)) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
}

Json to_json(const Failure& failure, bool changed, int exit_code) {
  Json json = {{"message", printable(failure.message)}};
  if (!failure.served.empty()) {
    json["served"] = printable(failure.served);
  } else if (!changed) {
    json["served"] = "nothing was changed; the same certificates are still served";
  }
  if (!failure.next.empty()) json["next"] = printable(failure.next);
  json["exit_code"] = exit_code;
  return json;
}

}  // namespace

void answer_in_json(bool wanted) {
  the_answer().in_json = wanted;
}

bool answers_in_json() {
  return the_answer().in_json;
}

void print_json(const Json& fields) {
  if (answers_in_json()) the_answer().fields.update(fields);
}

void print_json_line(const Json& line) {
  the_answer().in_lines = true;
  Json whole = {{"schema", kSchema}};
  whole.update(line);
  write_json(whole, -1);
  std::fflush(stdout);
}

void note_change() {
  the_answer().changed = true;
}

void note_failure(Failure failure) {
  if (!the_answer().failure) the_answer().failure = std::move(failure);
}

void print_answer(int exit_code) {
  const Answer& answer = the_answer();
  const bool failed = exit_code != 0 && answer.failure;
  if (!answer.in_json || (answer.in_lines && !failed)) return;
  Json whole = {{"schema", kSchema}, {"changed", answer.changed}};
  whole.update(answer.fields);
  if (failed) whole["error"] = to_json(*answer.failure, answer.changed, exit_code);
  write_json(whole, answer.in_lines ? -1 : 2);
}

}  // namespace certrebind
