#include "survey/shadowed.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "base/text.h"
#include "survey/key_types.h"

namespace certrebind {

namespace {

// The reason why no client sees the certificate; empty if one may.
std::string why_not_shown(const std::vector<SurveyedBinding>& all, size_t index) {
  const SurveyedBinding& bound = all[index];
  if (!bound.disk || !bound.disk->certificate) return "";
  if (bound.binding.never_chosen) return "earlier sites have all names of this one";
  const KeyType type = key_type_on_disk(bound);
  size_t shown = std::min(index + bound.binding.further_pairs, all.size() - 1);
  while (shown > index &&
         (all[shown].service != bound.service || key_type_on_disk(all[shown]) != type))
    --shown;
  const NamedFile& winner = all[shown].binding.certificate;
  // One file twice is one certificate.
  if (type == KeyType::other || winner.path == bound.binding.certificate.path) return "";
  return fmt::format("{} ({}) has a key of the same type ({}), and the server shows only the last",
                     printable(winner.path), winner.where.text(), to_text(type));
}

// A snippet may be included in many sites.
class Notes {
 public:
  void add(const Binding& binding, std::string why) {
    Note& note = notes_[binding.certificate.where];
    note.sites.push_back(binding.site);
    if (note.why.empty()) note = {binding.certificate.path, std::move(why), std::move(note.sites)};
  }

  void tell(std::vector<Diagnostic>& diagnostics) const {
    constexpr size_t kFew = 3;
    for (const auto& [where, note] : notes_)
      diagnostics.push_back(
          {.severity = Severity::note,
           .file = where.file,
           .line = where.line,
           .column = where.column,
           .message = fmt::format("{} is shadowed at {}: {}", printable(note.path),
                                  few_of(note.sites, kFew), note.why),
           .sites = note.sites});
  }

 private:
  struct Note {
    std::string path;
    std::string why;
    std::vector<std::string> sites;
  };
  std::map<Span, Note> notes_;
};

}  // namespace

void set_shadowed_apart(Survey& survey) {
  std::vector<SurveyedBinding>& all = survey.bindings;
  std::vector<bool> apart(all.size());
  Notes notes;
  for (size_t i = 0; i < all.size(); ++i) {
    std::string why = why_not_shown(all, i);
    if (why.empty()) continue;
    apart[i] = true;
    notes.add(all[i].binding, std::move(why));
  }
  notes.tell(survey.diagnostics);
  std::vector<SurveyedBinding> shown;
  shown.reserve(all.size());
  for (size_t i = 0; i < all.size(); ++i)
    (apart[i] ? survey.shadowed : shown).push_back(std::move(all[i]));
  all = std::move(shown);
}

void put_all_back(Survey& survey) {
  std::ranges::move(survey.shadowed, std::back_inserter(survey.bindings));
  survey.shadowed.clear();
}

}  // namespace certrebind
