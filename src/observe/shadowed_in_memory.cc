#include "observe/shadowed_in_memory.h"

#include <algorithm>
#include <span>

#include "survey/key_types.h"
#include "survey/same_site.h"

namespace certrebind {

namespace {

// The handshakes that tell whether one shadowed certificate is shown.
struct Question {
  SurveyedBinding* bound;
  std::vector<Target> targets;
  std::vector<bool> lost;  // of each target: any answer tells that a key type would be lost
};

bool has_type(const std::vector<const SurveyedBinding*>& bindings, KeyType type) {
  return std::ranges::any_of(
      bindings, [&](const SurveyedBinding* bound) { return key_type_on_disk(*bound) == type; });
}

// One name at one endpoint is enough: a server loads all certificates of a site at once.
std::vector<Target> ways_to(const Binding& binding) {
  for (const Endpoint& endpoint : binding.endpoints) {
    if (!endpoint.unproven.empty() && !binding.never_chosen) continue;
    if (!endpoint.address.unix_path.empty() && binding.never_chosen) continue;
    std::vector<std::string> names = endpoint.probe_names;
    if (binding.never_chosen) names = binding.names;
    std::erase_if(names, [](const std::string& name) { return name.starts_with('*'); });
    if (names.empty() && !endpoint.without_sni) continue;
    return {{.address = endpoint.address,
             .proxy_protocol = endpoint.proxy_protocol,
             .start_tls = endpoint.start_tls,
             .sni = names.empty() ? "" : names.front()}};
  }
  return {};
}

Question question_about(SurveyedBinding& bound, const SameSite& same_site) {
  Question question{.bound = &bound, .targets = {}, .lost = {}};
  const auto siblings = same_site.of(bound);
  for (const Target& way : ways_to(bound.binding)) {
    auto ask = [&](KeyType type, bool lost) {
      question.targets.push_back(way);
      question.targets.back().key_type = type;
      question.lost.push_back(lost);
    };
    if (bound.binding.never_chosen) {
      ask(key_type_on_disk(bound), false);
      continue;
    }
    for (KeyType type : {KeyType::rsa, KeyType::ecdsa})
      if (type != key_type_on_disk(bound) && !has_type(siblings, type)) ask(type, true);
  }
  return question;
}

bool is_held(const Survey& survey, const Service* service, const Thumbprint& thumbprint) {
  return std::ranges::any_of(survey.bindings, [&](const SurveyedBinding& each) {
    return each.service == service && each.holds(thumbprint);
  });
}

bool is_binding(const Survey& survey, const Question& question,
                std::span<const Result<Served>* const> answers) {
  const SurveyedBinding& bound = *question.bound;
  for (size_t i = 0; i < answers.size(); ++i) {
    const Result<Served>& answer = *answers[i];
    if (!answer) continue;
    const Thumbprint& shown = answer->thumbprint;
    const bool is_site = bound.binding.never_chosen && bound.holds(shown);
    if (question.lost[i] || (is_site && !is_held(survey, bound.service, shown))) return true;
  }
  return false;
}

}  // namespace

void put_back_shown(Asker& asker, Survey& survey) {
  std::vector<Question> questions;
  std::vector<Target> targets;
  const SameSite same_site(survey);
  for (SurveyedBinding& bound : survey.shadowed) {
    if (bound.left_alone || !bound.service->reload().signal) continue;
    questions.push_back(question_about(bound, same_site));
    targets.insert(targets.end(), questions.back().targets.begin(), questions.back().targets.end());
  }
  const std::vector<const Result<Served>*> answers = asker.ask(targets);
  std::vector<const SurveyedBinding*> shown;
  size_t at = 0;
  for (const Question& question : questions) {
    if (is_binding(survey, question, std::span(answers).subspan(at, question.targets.size())))
      shown.push_back(question.bound);
    at += question.targets.size();
  }
  for (const SurveyedBinding* bound : shown) survey.bindings.push_back(*bound);
  std::vector<SurveyedBinding> left;
  for (SurveyedBinding& bound : survey.shadowed)
    if (std::ranges::find(shown, &bound) == shown.end()) left.push_back(std::move(bound));
  survey.shadowed = std::move(left);
}

}  // namespace certrebind
