// Decides which key type a handshake asks a site for.
//
// If one certificate answers at an address for a name, any key type is asked for: the certificate
// on disk may have another type than the one in the server's memory. If several certificates answer
// there, one for each key type, each binding is asked with its own type. Otherwise the server could
// show the certificate of another binding.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "survey/survey.h"

namespace certrebind {

class Rivals {
 public:
  explicit Rivals(const Survey& survey);

  // KeyType::other means any type.
  KeyType type_to_ask(const SurveyedBinding& bound) const;

 private:
  using Asked = std::tuple<const Service*, Address, std::string>;  // the last one is the SNI name
  template <class Act>
  static void for_each_asked(const SurveyedBinding& bound, Act act);

  std::map<Asked, std::set<std::string>> files_;  // certificate paths that are bound for each
};

// Key type of the certificate on disk; `other` if there is none.
KeyType key_type_on_disk(const SurveyedBinding& bound);

}  // namespace certrebind
