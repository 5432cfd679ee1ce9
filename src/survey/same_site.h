// SameSite finds the bindings of one site at one endpoint that have different files. A server has
// such bindings to serve one certificate for each key type.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "survey/survey.h"

namespace certrebind {

class SameSite {
 public:
  explicit SameSite(
      const Survey& survey);  // `survey` must outlive it, and its bindings must not move

  std::vector<const SurveyedBinding*> of(const SurveyedBinding& bound) const;
  // The binding of the same site whose file holds this certificate; null if there is none.
  const SurveyedBinding* holding(const Thumbprint& thumbprint, const SurveyedBinding& bound) const;

 private:
  std::unordered_map<std::string_view, std::vector<const SurveyedBinding*>> by_site_;
};

}  // namespace certrebind
