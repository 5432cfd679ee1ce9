#include "survey/succession.h"

#include <algorithm>

namespace certrebind {

bool holds_some_old(const SurveyedBinding& bound, const std::vector<Succession>& successions) {
  return std::ranges::any_of(successions, [&](const Succession& succession) {
    return bound.holds(succession.old_one.thumbprint);
  });
}

}  // namespace certrebind
