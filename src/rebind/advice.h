// Whether a rebind is worth advising: preflight's word on what lies in a binding's file.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "rebind/preflight.h"
#include "rebind/survey.h"
#include "sys/host.h"

namespace certrebind {

class Advice {
 public:
  explicit Advice(const Host& host) : host_(host) {}

  // True if preflight would refuse what lies in its file as the successor of what is shown (a leaf,
  // DER; empty: not known, and it is only looked at by itself). A key that we may not read counts
  // as the right one.
  bool would_be_refused(const SurveyedBinding& bound, const std::string& shown_der);

 private:
  using Paths = std::pair<std::string, std::string>;  // of certificate and key
  std::shared_ptr<const NewCertificate> lying_there(const Paths& paths);

  const Host& host_;
  std::map<Paths, std::shared_ptr<const NewCertificate>> known_;  // null: no certificate
  std::map<std::pair<Paths, std::string>, bool> refused_;         // for every binding; by DER
};

}  // namespace certrebind
