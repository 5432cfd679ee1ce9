// Renders results: tables, JSON, colour on terminals only, progress on stderr.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "acts/audit.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/answer.h"
#include "lifecycle/attention.h"
#include "observe/observation.h"
#include "service/service.h"
#include "transaction/transaction.h"
#include "x509/certificate.h"

namespace certrebind {

// Writes the whole text to standard output; to standard error if the answer is in JSON. The caller
// must make text from files and certificates printable. Lines are broken at the width of the
// screen.
void print(const std::string& text);
void print_line(const std::string& line);
// The same without breaking lines: for text that programs read, and for other programs' output.
void print_whole(const std::string& text);
// Byte for byte: files that other programs read.
void print_bytes(const std::string& bytes);

// In columns: COLUMNS, else the terminal's, else 80.
size_t screen_width();

// From now on standard output, if it is a terminal, is kept; `show_kept` shows it, in the pager if
// it is longer than the screen.
void keep_for_pager();
void show_kept();
// A patch. Byte for byte unless standard output is a terminal.
void print_diff(const std::string& diff);
void print_error(const std::string& line);

enum class Colour { green, yellow, red, faint };
// The text in a colour if standard output is a terminal that has some, and NO_COLOR is not set.
std::string coloured(Colour colour, const std::string& text);

// Rows of cells under headings, in the width of the screen (cli/layout.h).
class Table {
 public:
  explicit Table(std::vector<std::string> headings);
  void add(std::vector<std::string> cells);
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "2027-01-20 (59 days)", "expired 3 days ago".
std::string expiry_text(WallTime end, WallTime now);
int64_t days_left(WallTime end, WallTime now);

// The first names, and the number of the others: "a.example.com, b.example.com +3".
std::string names_text(const std::vector<std::string>& names);

// "127.0.0.1:443, [::1]:443"
std::string endpoints_text(const Binding& binding);

Json to_json(const CertificateOutline& certificate, const std::string& der, WallTime now);
Json to_json(const Binding& binding);
// A binding with what is on disk and, unless `looks` is null, with what is served.
Json to_json(const SurveyedBinding& bound, const std::vector<Look>* looks, WallTime now);
Json to_json(const std::vector<Diagnostic>& diagnostics);
Json to_json(const TransactionResult& account);
Json to_json(const std::vector<Attention>& needed);

// Prints a Finding or an Attention: what was found, and the next step.
template <typename Found>
void print_sentence(const std::string& head, const Found& found) {
  print_line(head + ": " + printable(found.sentence));
  if (!found.next.empty()) print_line("  next: " + printable(found.next));
}

// The outcome of a transaction in a few words.
std::string outcome_text(const TransactionRow& row);

// "note", "warning", "error".
const char* word_for(Severity severity);

// The message if no server was found: none runs, or none that this user may inspect.
std::string no_server_text(const std::vector<Diagnostic>& diagnostics);

// Prints diagnostics to stderr, one per line.
void print_diagnostics(const std::vector<Diagnostic>& diagnostics);

// Shows the phases of transactions on stderr: live on a terminal, nothing elsewhere.
class TerminalWatcher final : public Watcher {
 public:
  TerminalWatcher();
  ~TerminalWatcher() override;
  void phase(const ServiceId& service, Phase phase) override;
  void proven(size_t proven, size_t total) override;
  // "handshakes: 12 of 300" during long surveys. The watcher must outlive it.
  std::function<void(size_t done, size_t total)> progress_of(std::string what);

 private:
  void progress(const std::string& what, size_t done, size_t total);
  void show(const std::string& line);
  bool live_;
  std::string head_;
};

}  // namespace certrebind
