#include "cli/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/layout.h"
#include "sys/guard.h"
#include "sys/local_time.h"
#include "sys/terminal.h"

namespace certrebind {

namespace {

constexpr size_t kNamesShown = 2;

const char* code_of(Colour colour) {
  switch (colour) {
    case Colour::green:
      return "\x1b[32m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::red:
      return "\x1b[31m";
    case Colour::faint:
      return "\x1b[2m";
  }
  return "";
}

// The text shown for each phase.
const char* words_for(Phase phase) {
  switch (phase) {
    case Phase::planned:
      return "preparing";
    case Phase::staged:
      return "staged";
    case Phase::swapping:
      return "swapping files";
    case Phase::swapped:
      return "testing the new files";
    case Phase::tested:
      return "tested";
    case Phase::reloading:
      return "reloading";
    case Phase::verifying:
      return "proving by handshakes";
    case Phase::restoring:
      return "putting everything back";
    default:
      return "";
  }
}

std::vector<std::string> printable_all(const std::vector<std::string>& texts) {
  std::vector<std::string> all;
  for (const std::string& text : texts) all.push_back(printable(text));
  return all;
}

// Standard output, or what is kept of it for the pager.
struct Screen {
  bool kept = false;
  std::string text;
};
Screen& screen() {
  static Screen screen;
  return screen;
}

void write_out(const std::string& text) {
  if (screen().kept)
    screen().text += text;
  else
    std::fwrite(text.data(), 1, text.size(), answers_in_json() ? stderr : stdout);
}

bool is_dumb() {
  const char* terminal = std::getenv("TERM");
  return terminal == nullptr || std::string_view(terminal) == "dumb";
}

// NO_COLOR: https://no-color.org
bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return stdout_is_terminal() && !is_dumb() && (no_colour == nullptr || *no_colour == '\0');
}

size_t number_in(const char* variable) {
  const char* value = std::getenv(variable);
  size_t number = 0;
  if (value != nullptr) std::from_chars(value, value + std::strlen(value), number);
  return number;
}

}  // namespace

size_t screen_width() {
  constexpr size_t kUsual = 80, kLeast = 20, kUnbroken = 100'000;
  const size_t wanted = number_in("COLUMNS");
  if (wanted >= kLeast) return wanted;
  const auto terminal = terminal_size();
  if (terminal) return std::max(terminal->columns, kLeast);
  // Whoever reads a pipe takes it apart line by line.
  return stdout_is_terminal() ? kUsual : kUnbroken;
}

void keep_for_pager() {
  screen().kept = stdout_is_terminal() && !answers_in_json() && !is_dumb();
}

void show_kept() {
  if (!std::exchange(screen().kept, false)) return;
  const std::string text = std::exchange(screen().text, {});
  const auto terminal = terminal_size();
  const auto lines = static_cast<size_t>(std::ranges::count(text, '\n'));
  const bool is_long = terminal && lines >= terminal->rows;
  if (!is_long || !show_in_pager(text)) write_out(text);
}

void print(const std::string& text) {
  write_out(wrapped(printable_lines(text), screen_width()));
}

void print_whole(const std::string& text) {
  write_out(printable_lines(text));
}

void print_bytes(const std::string& bytes) {
  write_out(bytes);
}

void print_line(const std::string& line) {
  print(line + "\n");
}

void print_error(const std::string& line) {
  std::string text = wrapped(printable_lines(line), screen_width()) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void print_diff(const std::string& diff) {
  write_out(stdout_is_terminal() ? printable_lines(diff) : diff);
}

std::string coloured(Colour colour, const std::string& text) {
  static const bool wanted = wants_colour();
  return wanted ? code_of(colour) + text + "\x1b[0m" : text;
}

Table::Table(std::vector<std::string> headings) {
  rows_.push_back(std::move(headings));
}

void Table::add(std::vector<std::string> cells) {
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  return table_text(rows_, screen_width());
}

int64_t days_left(WallTime end, WallTime now) {
  return std::chrono::floor<std::chrono::days>(end - now).count();
}

std::string expiry_text(WallTime end, WallTime now) {
  std::string day = local_day_text(end);
  if (end < now) {
    auto ago = static_cast<size_t>(std::chrono::floor<std::chrono::days>(now - end).count());
    return fmt::format("{} (expired {} ago)", day, count_of(ago, "day"));
  }
  auto hours = std::chrono::duration_cast<std::chrono::hours>(end - now).count();
  if (hours < 48) return fmt::format("{} ({} hours)", day, hours);
  return fmt::format("{} ({} days)", day, days_left(end, now));
}

std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kNamesShown); ++i)
    text.append(i == 0 ? "" : ", ").append(printable(names[i]));
  if (names.size() > kNamesShown) text += fmt::format(" +{}", names.size() - kNamesShown);
  return text.empty() ? "-" : text;
}

std::string endpoints_text(const Binding& binding) {
  std::vector<std::string> listens;
  for (const Endpoint& endpoint : binding.endpoints)
    if (std::ranges::find(listens, endpoint.listens) == listens.end())
      listens.push_back(endpoint.listens);
  return listens.empty() ? "-" : printable(join(listens, " "));
}

Json to_json(const CertificateOutline& certificate, const std::string& der, WallTime now) {
  return {{"thumbprint", certificate.thumbprint.hex()},
          {"sha1", sha1_thumbprint(der)},
          {"serial", certificate.serial},
          {"issued_to", printable(certificate.subject)},
          {"issued_by", printable(certificate.issuer)},
          {"names", printable_all(certificate.names)},
          {"not_before", to_rfc3339(certificate.not_before)},
          {"not_after", to_rfc3339(certificate.not_after)},
          {"days_left", days_left(certificate.not_after, now)}};
}

Json to_json(const Binding& binding) {
  Json endpoints = Json::array();
  for (const Endpoint& endpoint : binding.endpoints)
    endpoints.push_back({{"listens", printable(endpoint.listens)},
                         {"address", endpoint.address.text()},
                         {"proxy_protocol", endpoint.proxy_protocol},
                         {"start_tls", to_text(endpoint.start_tls)},
                         {"probe_names", printable_all(endpoint.probe_names)},
                         {"without_sni", endpoint.without_sni},
                         {"unproven", endpoint.unproven}});
  return {{"site", printable(binding.site)},
          {"names", printable_all(binding.names)},
          {"unprobed_names", printable_all(binding.unprobed_names)},
          {"role", binding.role == Role::server ? "server" : "client"},
          {"endpoints", std::move(endpoints)},
          {"certificate_path", printable(binding.certificate.path)},
          {"key_path", printable(binding.key.path)},
          {"file", printable(binding.certificate.where.file)},
          {"line", binding.certificate.where.line},
          {"column", binding.certificate.where.column},
          {"not_editable", binding.not_editable}};
}

namespace {

Json served_json(const std::vector<Look>& looks, WallTime now) {
  Json all = Json::array();
  for (const Look& look : looks) {
    Json one = {{"address", look.asked.address.text()}, {"sni", printable(look.asked.sni)}};
    if (look.served) {
      one["thumbprint"] = look.served->thumbprint.hex();
      if (auto outline = outline_of(look.served->leaf_der))
        one["certificate"] = to_json(*outline, look.served->leaf_der, now);
    } else {
      one["error"] = printable(look.served.error().cause);
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

Json to_json(const SurveyedBinding& bound, const std::vector<Look>* looks, WallTime now) {
  Json one = to_json(bound.binding);
  one["service"] = bound.service->id().text();
  if (bound.disk && bound.disk->certificate)
    one["certificate"] = to_json(*bound.disk->certificate, bound.disk->der, now);
  if (bound.disk && !bound.disk->problem.empty()) one["problem"] = printable(bound.disk->problem);
  if (looks) one["served"] = served_json(*looks, now);
  return one;
}

Json to_json(const std::vector<Diagnostic>& diagnostics) {
  Json all = Json::array();
  for (const Diagnostic& diagnostic : diagnostics)
    all.push_back({{"severity", word_for(diagnostic.severity)},
                   {"file", printable(diagnostic.file)},
                   {"line", diagnostic.line},
                   {"column", diagnostic.column},
                   {"message", printable(diagnostic.message)}});
  return all;
}

std::string outcome_text(const TransactionRow& row) {
  if (!row.outcome) return "interrupted (" + to_text(row.phase) + ")";
  std::string text = to_text(*row.outcome);
  return row.owed ? text + ", proof owed" : text;
}

Json to_json(const TransactionResult& account) {
  return {{"service", account.service.text()},
          {"transaction", account.transaction},
          {"outcome", to_text(account.outcome)},
          {"proof_owed", account.owed},
          {"account", split(account.text, '\n')}};
}

Json to_json(const std::vector<Attention>& needed) {
  Json all = Json::array();
  for (const Attention& each : needed)
    all.push_back({{"subject", printable(each.subject)},
                   {"sentence", printable(each.sentence)},
                   {"next", printable(each.next)},
                   {"since", to_rfc3339(each.since)}});
  return all;
}

const char* word_for(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "";
}

std::string no_server_text(const std::vector<Diagnostic>& diagnostics) {
  if (std::ranges::any_of(diagnostics, &Diagnostic::hidden))
    return "servers run here, but this user may not look into them: run certrebind as root";
  return "no running server that certrebind knows was found; certrebind service list names all "
         "kinds";
}

void print_diagnostics(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics)
    print_error(fmt::format("{}: {}", word_for(diagnostic.severity), printable(diagnostic.text())));
}

TerminalWatcher::TerminalWatcher() : live_(stderr_is_terminal() && !is_dumb()) {}

TerminalWatcher::~TerminalWatcher() {
  show("");
}

void TerminalWatcher::show(const std::string& line) {
  if (!live_) return;
  std::string text = "\r\x1b[K" + printable_lines(line);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void TerminalWatcher::phase(const ServiceId& service, Phase phase) {
  head_ = service.text() + ": " + words_for(phase);
  show(*words_for(phase) == '\0' ? "" : head_);
}

void TerminalWatcher::proven(size_t proven, size_t total) {
  progress(head_, proven, total);
}

std::function<void(size_t done, size_t total)> TerminalWatcher::progress_of(std::string what) {
  return [this, what = std::move(what)](size_t done, size_t total) { progress(what, done, total); };
}

// Called after each completed item.
void TerminalWatcher::progress(const std::string& what, size_t done, size_t total) {
  // A hundred lines are enough: a terminal takes longer to draw ten thousand than the handshakes
  // take.
  bool is_step = done == 0 || total == 0 || done * 100 / total != (done - 1) * 100 / total;
  if (is_step) show(fmt::format("{}: {} of {}", what, done, total));
}

}  // namespace certrebind
