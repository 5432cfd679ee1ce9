#include "observe/observation.h"

#include "survey/key_types.h"

namespace certrebind {

std::vector<std::vector<Look>> look_at_all(Asker& asker, const Survey& survey,
                                           const LookProgress& progress,
                                           const ChosenBindings& chosen) {
  const Rivals rivals(survey);
  std::vector<Expectation> asked;
  std::vector<size_t> owner;
  for (size_t index = 0; index < survey.bindings.size(); ++index) {
    const SurveyedBinding& bound = survey.bindings[index];
    const KeyType type = rivals.type_to_ask(bound);
    if (bound.left_alone || !bound.service->reload().signal) continue;
    if (chosen && !chosen(bound)) continue;
    for (Expectation& expected : expectations_of(bound.binding, {}, type, {}, type)) {
      asked.push_back(std::move(expected));
      owner.push_back(index);
    }
  }
  std::vector<Target> targets;
  for (const Expectation& expected : asked) targets.push_back(expected.old_target());
  auto tell = [&](size_t done) {
    if (progress) progress(done, targets.size());
  };
  std::vector<const Result<Served>*> served = asker.ask(targets, tell);
  std::vector<std::vector<Look>> looks(survey.bindings.size());
  for (size_t i = 0; i < asked.size(); ++i)
    looks[owner[i]].push_back({std::move(asked[i]), *served[i]});
  return looks;
}

}  // namespace certrebind
