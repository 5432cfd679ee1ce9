#include "observe/asker.h"

#include <set>
#include <utility>

namespace certrebind {

std::vector<const Result<Served>*> Asker::ask(std::span<const Target> targets,
                                              const Prober::Progress& progress) {
  std::vector<Question> questions;
  questions.reserve(targets.size());
  std::vector<Target> unasked;
  std::vector<const Question*> unanswered;
  std::set<Question> seen;
  for (const Target& target : targets) {
    questions.emplace_back(target.address, target.proxy_protocol, target.start_tls, target.sni,
                           target.key_type);
    if (answers_.contains(questions.back())) continue;
    auto [question, is_new] = seen.insert(questions.back());
    if (!is_new) continue;
    unasked.push_back(target);
    unanswered.push_back(&*question);
  }
  const size_t known = targets.size() - unasked.size();
  std::vector<Result<Served>> served = prober_.handshake_all(unasked, 0, [&](size_t done) {
    if (progress) progress(known + done);
  });
  for (size_t i = 0; i < served.size(); ++i) answers_.emplace(*unanswered[i], std::move(served[i]));
  std::vector<const Result<Served>*> answers;
  answers.reserve(questions.size());
  for (const Question& question : questions) answers.push_back(&answers_.at(question));
  return answers;
}

}  // namespace certrebind
