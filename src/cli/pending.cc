#include "cli/pending.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/render_plan.h"

namespace certrebind {

void note_undecided(const Pending& pending) {
  if (pending.undecided.empty()) return;
  const Attention& first = pending.undecided.front();
  note_failure({.message = "needs a person: " + first.sentence, .next = first.next});
}

void print_undecided(const Context& context, const Pending& pending) {
  if (context.json()) return;
  for (const Attention& undecided : pending.undecided)
    print_sentence(coloured(Colour::yellow, "needs a person"), undecided);
  for (const std::string& sentence : pending.held) print_line(printable(sentence));
}

Json to_json(const Pending& pending) {
  Json needs_person = Json::array();
  for (const Attention& undecided : pending.undecided)
    needs_person.push_back(
        {{"sentence", printable(undecided.sentence)}, {"next", printable(undecided.next)}});
  return {{"needs_person", std::move(needs_person)}, {"held", pending.held}};
}

void tell_nothing_pending(const Context& context, const PendingLook& look, Json json) {
  const std::vector<Diagnostic>& diagnostics = look.survey.diagnostics;
  if (context.json()) {
    json.update(to_json(look.pending));
    json["diagnostics"] = to_json(diagnostics);
    return print_json(json);
  }
  if (is_overlooked(look.survey)) {
    print_line("nothing differs in what could be read, but not all could be: see the errors");
  } else if (look.pending.undecided.empty() && look.pending.held.empty()) {
    print_line("nothing differs; nothing to do");
  }
  print_diagnostics(diagnostics);
}

int plan_pending(Context& context, const RebindOptions& options) {
  auto found = find_all_pending(context.looking(), context.history());
  if (!found) return report(found.error());
  const bool none = found->pending.pairs.empty();
  const bool judged = none && add_judged(*found, nullptr, found->pending);
  print_undecided(context, found->pending);
  if (none) {
    add_overlooked(found->survey, found->pending);
    note_undecided(found->pending);
    tell_nothing_pending(context, *found, {{"plans", Json::array()}});
    const bool differs = judged || found->pending.in_doubt || is_overlooked(found->survey);
    return differs ? kDiffers : kDone;
  }
  auto prepared =
      prepare_pending(context.looking(), context.history(), *found, preference_of(options));
  if (!prepared) return report(prepared.error());
  const int code = show_prepared(context, *prepared);
  note_undecided(found->pending);
  return code;
}

}  // namespace certrebind
