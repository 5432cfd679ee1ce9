// Certificates in the renewers' stores that would do for a binding and that nothing takes by
// itself: a lineage of the same names and more (certbot's NAME-0001), and a generation in archive/
// to which live/ does not point.
#pragma once

#include <vector>

#include "state/settings.h"
#include "survey/survey.h"

namespace certrebind {

// A later certificate of a renewer that covers every name of a bound one and more, and that no
// server uses.
struct WiderCertificate {
  const SurveyedBinding* bound = nullptr;  // the first binding of the bound file
  std::string path;
};
std::vector<WiderCertificate> wider_certificates(const Files& files, const Settings& settings,
                                                 const Survey& survey);

// One note for each, with the command that takes it.
std::vector<Diagnostic> store_hints(const Files& files, const Settings& settings,
                                    const Survey& survey);

}  // namespace certrebind
