#include "survey/key_types.h"

#include "x509/certificate.h"

namespace certrebind {

template <class Act>
void Rivals::for_each_asked(const SurveyedBinding& bound, Act act) {
  if (bound.binding.role == Role::client) return;
  for (const Endpoint& endpoint : bound.binding.endpoints) {
    for (const std::string& name : endpoint.probe_names)
      act(Asked(bound.service, endpoint.address, name));
    if (endpoint.without_sni) act(Asked(bound.service, endpoint.address, ""));
  }
}

Rivals::Rivals(const Survey& survey) {
  for (const SurveyedBinding& bound : survey.bindings)
    for_each_asked(
        bound, [&](const Asked& asked) { files_[asked].insert(bound.binding.certificate.path); });
}

KeyType Rivals::type_to_ask(const SurveyedBinding& bound) const {
  bool has_rival = false;
  for_each_asked(bound, [&](const Asked& asked) {
    auto found = files_.find(asked);
    has_rival = has_rival || (found != files_.end() && found->second.size() > 1);
  });
  return has_rival ? key_type_on_disk(bound) : KeyType::other;
}

KeyType key_type_on_disk(const SurveyedBinding& bound) {
  return bound.disk && bound.disk->certificate ? bound.disk->certificate->key_type : KeyType::other;
}

}  // namespace certrebind
