#include "cli/render_plan.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "cli/diff.h"

namespace certrebind {

namespace {

constexpr size_t kSitesShown = 5;

const char* word_for_finding(Severity severity) {
  return severity == Severity::error ? "refused" : word_for(severity);
}

std::string brief_new(const Succession& succession) {
  return succession.new_thumbprint().brief();
}

// "repoint 3 sites: a.example.com, b.example.com, …" for each kind and succession.
std::vector<std::string> headlines(const Plan& plan) {
  std::map<std::string, std::vector<std::string>> sites;
  for (const PlannedBinding& planned : plan.bindings)
    sites[fmt::format("{} {} -> {}", to_text(planned.kind),
                      planned.succession->old_one.thumbprint.brief(),
                      brief_new(*planned.succession))]
        .push_back(printable(planned.bound->binding.site));
  std::vector<std::string> lines;
  for (auto& [what, names] : sites) {
    std::string line = fmt::format("{}: {}", what, count_of(names.size(), "binding"));
    size_t shown = std::min(names.size(), kSitesShown);
    line += " (" + join({names.begin(), names.begin() + static_cast<ptrdiff_t>(shown)}, ", ");
    lines.push_back(line + (names.size() > shown ? ", …)" : ")"));
  }
  return lines;
}

std::string command_texts(const CommandReload& reload) {
  std::vector<std::string> texts;
  for (const Command& command : reload.commands) texts.push_back(printable(command.text()));
  return join(texts, "; ");
}

// A dry run does not check the control socket, because that would need a connection.
std::string how_it_is_told(const Plan& plan, const Reload& reload) {
  std::string signal =
      fmt::format("reload: {} to the master, pid {}", reload.signal->name, reload.signal->pid);
  if (!reload.restart_only.empty())
    signal =
        (plan.restarts ? "restart its systemd service: " : "not reload it: ") + reload.restart_only;
  else if (reload.per_connection)
    signal = "nothing to reload: it reads its files for each connection";
  else if (reload.commands)
    signal = "reload: " + command_texts(*reload.commands);
  else if (reload.socket)
    signal = "reload: tell it over " + printable(reload.socket->address.text());
  std::vector<std::string> files;
  for (const PlannedFile& file : plan.request.files) files.push_back(file.path);
  auto live = reload.live && !files.empty() ? reload.live(files) : nullptr;
  if (!live) return signal;
  return fmt::format("tell it over its control socket, {}; if that cannot be, {}",
                     live->address().text(), signal);
}

std::vector<std::string> steps(const Plan& plan) {
  std::vector<std::string> steps;
  auto test = plan.request.service->config_test();
  size_t proofs = plan.request.expectations.size();
  std::string endpoints = count_of(proofs, "endpoint and name", "endpoints and names");
  Reload reload = plan.request.service->reload();
  bool running = reload.signal.has_value();
  if (!plan.request.files.empty())
    steps.push_back(fmt::format("stage and swap {}", count_of(plan.request.files.size(), "file")));
  if (test) steps.push_back("run the server's own test: " + test->text());
  if (running) steps.push_back("meanwhile ask what is served: " + endpoints);
  if (rehearsal_of(*plan.request.service))
    steps.push_back("start the server apart with these files, and end it again");
  if (!running) {
    steps.push_back("the server is not running: nothing is reloaded, proof is owed");
    return steps;
  }
  steps.push_back(how_it_is_told(plan, reload));
  steps.push_back("prove it: handshakes until " + endpoints + " show the new certificate");
  steps.push_back(plan.request.files.empty() ? "if not: say so; there is nothing to put back"
                                             : "if not: put every file back, reload, prove that");
  return steps;
}

void print_plan(const Plan& plan) {
  print_headlines(plan);
  for (const PlannedFile& file : plan.request.files) {
    if (file.secret)
      print_line(fmt::format("replace {}: {}", printable(file.path), file.what));
    else
      print_diff(unified_diff(file.path, file.before, file.after));
  }
  if (!plan.does_nothing()) {
    print_line("steps:");
    size_t number = 0;
    for (const std::string& step : steps(plan)) print_line(fmt::format("  {}. {}", ++number, step));
  }
  print_findings(plan.findings);
  for (const std::string& reason : plan.request.unproven)
    print_line("not proven: " + printable(reason));
}

Json to_json(const Plan& plan) {
  Json bindings = Json::array(), files = Json::array();
  for (const PlannedBinding& planned : plan.bindings) {
    Json one = to_json(planned.bound->binding);
    one["kind"] = to_text(planned.kind);
    one["old"] = planned.succession->old_one.thumbprint.hex();
    one["new"] = planned.succession->new_thumbprint().hex();
    bindings.push_back(std::move(one));
  }
  for (const PlannedFile& file : plan.request.files)
    files.push_back(
        {{"path", printable(file.path)},
         {"what", file.secret ? file.what : "configuration"},
         {"diff", file.secret ? "" : unified_diff(file.path, file.before, file.after)}});
  return {{"service", plan.request.service->id().text()},
          {"bindings", std::move(bindings)},
          {"files", std::move(files)},
          {"steps", plan.does_nothing() ? std::vector<std::string>() : steps(plan)},
          {"findings", to_json(plan.findings)},
          {"not_proven", plan.request.unproven}};
}

}  // namespace

void print_headlines(const Plan& plan) {
  print_line(printable(plan.request.service->id().text()));
  for (const std::string& line : headlines(plan)) print_line("  " + line);
}

Json to_json(const std::vector<Finding>& findings) {
  Json all = Json::array();
  for (const Finding& finding : findings) {
    all.push_back({{"severity", word_for_finding(finding.severity)},
                   {"sentence", printable(finding.sentence)},
                   {"next", printable(finding.next)}});
    if (finding.risk) all.back()["accept"] = to_text(*finding.risk);
  }
  return all;
}

void print_findings(const std::vector<Finding>& findings) {
  std::set<std::string> told;
  for (const Finding& finding : findings) {
    if (!told.insert(finding.sentence).second) continue;
    Colour colour = finding.severity == Severity::error     ? Colour::red
                    : finding.severity == Severity::warning ? Colour::yellow
                                                            : Colour::faint;
    print_sentence(coloured(colour, word_for_finding(finding.severity)), finding);
  }
}

void print_idle(const Prepared& prepared) {
  for (const std::string& sentence : prepared.idle)
    print_line(sentence + (prepared.overlooked()
                               ? "; nothing was done, but see the errors and warnings: it may be "
                                 "bound where they are"
                               : "; nothing to do"));
}

void print_prepared(const Prepared& prepared) {
  for (const Plan& plan : prepared.plans) print_plan(plan);
  print_idle(prepared);
}

void note_refusal(const Prepared& prepared) {
  for (const Plan& plan : prepared.plans)
    for (const Finding& finding : plan.findings)
      if (finding.severity == Severity::error)
        return note_failure({.message = "refused: " + finding.sentence, .next = finding.next});
  if ((prepared.overlooked() || prepared.exchanged) && !prepared.idle.empty())
    note_failure({.message = prepared.idle.front(), .next = "certrebind check"});
}

Json to_json(const Prepared& prepared) {
  Json plans = Json::array();
  for (const Plan& plan : prepared.plans) plans.push_back(to_json(plan));
  return {{"plans", std::move(plans)},
          {"idle", prepared.idle},
          {"refused", prepared.refused()},
          {"diagnostics", to_json(prepared.survey.diagnostics)}};
}

void print_tests(const std::vector<DryTest>& tests) {
  for (const DryTest& test : tests) {
    const bool fails =
        test.outcome == DryOutcome::refused || test.outcome == DryOutcome::would_roll_back;
    const Colour colour = fails                                    ? Colour::red
                          : test.outcome == DryOutcome::not_tested ? Colour::yellow
                                                                   : Colour::green;
    print_line(fmt::format("test of {}: {}: {}", printable(test.service.text()),
                           coloured(colour, to_text(test.outcome)), test.text));
  }
}

Json to_json(const std::vector<DryTest>& tests) {
  Json all = Json::array();
  for (const DryTest& test : tests)
    all.push_back({{"service", test.service.text()},
                   {"outcome", to_text(test.outcome)},
                   {"text", test.text}});
  return all;
}

}  // namespace certrebind
