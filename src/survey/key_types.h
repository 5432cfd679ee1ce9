// With which type of key a site is to be asked for its certificate.
//
// Where one certificate answers at an address for a name, any type is asked for: what lies on disk
// may be of another type than what the server has in memory. Where several do, one of each type,
// each binding is asked with its own, or it would be shown the other's.
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

  // `other`: any.
  KeyType type_to_ask(const SurveyedBinding& bound) const;

 private:
  using Asked = std::tuple<const Service*, Address, std::string>;  // the name that is sent
  template <class Act>
  static void for_each_asked(const SurveyedBinding& bound, Act act);

  std::map<Asked, std::set<std::string>> files_;  // that are bound for it
};

// Of the certificate on disk; `other` where there is none.
KeyType key_type_on_disk(const SurveyedBinding& bound);

}  // namespace certrebind
