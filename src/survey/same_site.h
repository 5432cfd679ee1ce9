// SameSite: the bindings of one site at one endpoint with files of their own, as a server has them
// for certificates of different types of key.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "survey/survey.h"

namespace certrebind {

class SameSite {
 public:
  explicit SameSite(const Survey& survey);  // which must outlive it, its bindings where they are

  std::vector<const SurveyedBinding*> of(const SurveyedBinding& bound) const;
  // The twin in whose file this certificate lies; null where there is none.
  const SurveyedBinding* holding(const Thumbprint& thumbprint, const SurveyedBinding& bound) const;

 private:
  std::unordered_map<std::string_view, std::vector<const SurveyedBinding*>> by_site_;
};

}  // namespace certrebind
