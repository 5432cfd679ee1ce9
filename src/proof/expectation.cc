#include "proof/expectation.h"

#include <fmt/format.h>

namespace certrebind {

namespace {

Target target_of(const Expectation& expectation, KeyType type) {
  return {.address = expectation.address,
          .proxy_protocol = expectation.proxy_protocol,
          .start_tls = expectation.start_tls,
          .sni = expectation.sni,
          .key_type = type};
}

}  // namespace

Target Expectation::old_target() const {
  return target_of(*this, old_type);
}

Target Expectation::new_target() const {
  return target_of(*this, new_type);
}

std::string Expectation::text() const {
  return fmt::format("{} ({})", address.text(), sni.empty() ? "without SNI" : sni);
}

std::vector<Expectation> expectations_of(const Binding& binding, const Thumbprint& old_thumbprint,
                                         KeyType old_type, const Thumbprint& new_thumbprint,
                                         KeyType new_type) {
  std::vector<Expectation> expectations;
  for (const Endpoint& endpoint : binding.endpoints) {
    if (!endpoint.unproven.empty()) continue;
    std::vector<std::string> names = endpoint.probe_names;
    if (endpoint.without_sni) names.emplace_back();
    for (std::string& name : names)
      expectations.push_back({.address = endpoint.address,
                              .proxy_protocol = endpoint.proxy_protocol,
                              .start_tls = endpoint.start_tls,
                              .sni = std::move(name),
                              .site = binding.site,
                              .old_thumbprint = old_thumbprint,
                              .new_thumbprint = new_thumbprint,
                              .old_type = old_type,
                              .new_type = new_type});
  }
  return expectations;
}

std::vector<Target> targets_of(const Binding& binding, KeyType type) {
  std::vector<Target> targets;
  for (const Expectation& expected : expectations_of(binding, {}, type, {}, type))
    targets.push_back(expected.old_target());
  return targets;
}

}  // namespace certrebind
