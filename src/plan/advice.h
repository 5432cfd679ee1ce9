// What to advise where a binding is not as it should be: preflight's word on what lies in its file.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "plan/preflight.h"
#include "probe/handshake.h"
#include "state/settings.h"
#include "survey/survey.h"
#include "sys/host.h"

namespace certrebind {

class Advice {
 public:
  Advice(const Host& host, const Settings& settings) : host_(host), settings_(settings) {}

  // True if preflight would refuse what lies in its file as the successor of what is shown (null:
  // not known, and it is only looked at by itself). A key that we may not read counts as the right
  // one.
  bool would_be_refused(const SurveyedBinding& bound, const Served* shown);
  // Why serving what lies in its file, instead of what is shown, would be an outage: a sentence of
  // preflight's. Empty where it would be none, and where what is shown is no better. That it
  // expires earlier or is weaker is none; its key the server's own test looks at. Of the chain,
  // what is sent counts.
  std::string why_an_outage(const SurveyedBinding& bound, const Served& shown);
  // How a good pair comes to lie there again.
  std::string way_back(const Binding& binding) const;

 private:
  using Paths = std::pair<std::string, std::string>;  // of certificate and key
  std::shared_ptr<const NewCertificate> lying_there(const Paths& paths);
  std::string why_chain_is_lost(const SurveyedBinding& bound, const Served& shown,
                                const NewCertificate& lies) const;
  // The key aside.
  std::string first_error(const Binding& binding, const OldCertificate& old_one,
                          NewCertificate new_one) const;

  const Host& host_;
  const Settings& settings_;
  std::map<Paths, std::shared_ptr<const NewCertificate>> known_;  // null: no certificate
  std::map<std::pair<Paths, std::string>, bool> refused_;         // for every binding; by DER
};

}  // namespace certrebind
