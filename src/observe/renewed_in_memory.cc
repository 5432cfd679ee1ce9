#include "observe/renewed_in_memory.h"

#include <fmt/format.h>

#include "base/text.h"
#include "proof/expectation.h"
#include "survey/key_types.h"

namespace certrebind {

bool is_only_in_memory(const SurveyedBinding& bound, const Served& served) {
  if (!bound.binding.renews_in_memory || !bound.disk || !bound.disk->certificate ||
      bound.holds(served.thumbprint))
    return false;
  auto shown = outline_of(served.leaf_der);
  return shown && shown->not_before > bound.disk->certificate->not_before;
}

std::vector<std::pair<const SurveyedBinding*, Served>> only_in_memory(Asker& asker,
                                                                      const Survey& survey,
                                                                      const Service& service) {
  std::vector<std::pair<const SurveyedBinding*, Served>> found;
  const Rivals rivals(survey);
  for (const SurveyedBinding& bound : survey.bindings) {
    if (!bound.binding.renews_in_memory || bound.service->id() != service.id()) continue;
    for (const Result<Served>* answer :
         asker.ask(targets_of(bound.binding, rivals.type_to_ask(bound))))
      if (const Result<Served>& served = *answer; served && is_only_in_memory(bound, *served)) {
        found.emplace_back(&bound, *served);
        break;
      }
  }
  return found;
}

std::string in_memory_sentence(const SurveyedBinding& bound, const Served& served) {
  return fmt::format(
      "{} serves {}, which the server itself renewed in its memory only; {} still holds {}, which "
      "a reload would bring back",
      printable(bound.binding.site), served.thumbprint.brief(),
      printable(bound.binding.certificate.path), bound.disk->certificate->thumbprint.brief());
}

std::string how_to_save(const SurveyedBinding& bound) {
  if (bound.binding.prints_memory.empty())
    return "it cannot be saved, because the server has no control socket with a plain path that "
           "prints it: "
           "configure one, reload the server yourself, and let it renew the certificate again";
  return fmt::format("(umask 077; {} >renewed.pem) && certrebind rebind {} renewed.pem",
                     bound.binding.prints_memory, bound.disk->certificate->thumbprint.brief());
}

void keep_memory(const Prober& prober, const Survey& survey, TransactionRequest& work) {
  Asker asker(prober);
  const auto lost = only_in_memory(asker, survey, *work.service);
  if (lost.empty()) return;
  const auto& [bound, served] = lost.front();
  work.no_reload = in_memory_sentence(*bound, served);
  work.way_back = how_to_save(*bound);
}

}  // namespace certrebind
