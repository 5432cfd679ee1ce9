// Advice for a binding that is not as it should be: what preflight says about the certificate in
// its file.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "plan/preflight.h"
#include "probe/handshake.h"
#include "state/settings.h"
#include "survey/survey.h"
#include "sys/host.h"

namespace certrebind {

class Advice {
 public:
  // All arguments must outlive this object.
  Advice(const Host& host, const Settings& settings, const Survey& survey)
      : host_(host), settings_(settings), survey_(survey) {}

  // True if preflight would refuse the certificate in the binding's file as the successor of the
  // one that is served (`shown`). If `shown` is null, that one is not known, and the certificate in
  // the file is checked by itself. A key that we may not read, or that only the server can open,
  // counts as the right one.
  bool would_be_refused(const SurveyedBinding& bound, const Served* shown);
  // Why it would be an outage to serve the certificate in the file instead of the one that is
  // served: a sentence of preflight. Empty if it would be none, or if the served certificate is no
  // better. An earlier expiry or a weaker key is no outage, and the key is left to the server's own
  // test. For the chain, what the server sends counts.
  std::string why_an_outage(const SurveyedBinding& bound, const Served& shown) const;
  // Why preflight would refuse the certificate in the file as the successor of the served one until
  // a person accepts it; empty if it would not. What nobody can accept is left to `why_an_outage`,
  // and so is the chain.
  std::string why_refused(const SurveyedBinding& bound, const Served& shown) const;
  // What to do about a certificate in the file that is not to be loaded: `way_back`, or how to
  // accept it if a person may.
  std::string next_for(const SurveyedBinding& bound, const Served& shown) const;
  // The command that has the server load the certificate in the file. Where only a restart does,
  // what a person has to do, or when certrebind does it.
  std::string how_to_load(const SurveyedBinding& bound, const std::string& old_one,
                          const std::string& new_one) const;
  // How to get a good pair into the file again.
  std::string way_back(const SurveyedBinding& bound) const;

 private:
  std::optional<NewCertificate> lying_there(const SurveyedBinding& bound) const;
  std::optional<Finding> refusal(const SurveyedBinding& bound, const Served& shown) const;
  std::string why_chain_is_lost(const SurveyedBinding& bound, const Served& shown,
                                const NewCertificate& lies) const;
  // The first error of preflight; ignores the key.
  std::string first_error(const Binding& binding, const OldCertificate& old_one,
                          NewCertificate new_one) const;

  const Host& host_;
  const Settings& settings_;
  const Survey& survey_;
  // By pair, whether there is a passphrase for its key, and DER of the served leaf.
  std::map<std::tuple<const PairOnDisk*, bool, std::string>, bool> refused_;
};

}  // namespace certrebind
