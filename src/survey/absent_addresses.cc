#include "survey/absent_addresses.h"

#include <fmt/format.h>

#include <map>

#include "sys/local_addresses.h"

namespace certrebind {

namespace {

bool is_loopback(const std::string& host) {
  return host.starts_with("127.") || host == "::1";
}

// Read once for each server, and only if one of its addresses may be absent.
class Namespaces {
 public:
  bool may_have(const Service& service, const std::string& host) {
    if (is_loopback(host)) return true;
    auto [known, is_new] = known_.try_emplace(&service);
    const auto master = is_new ? service.reload().signal : std::nullopt;
    if (master) known->second = LocalAddresses::of(service.files(), master->pid);
    return !known->second || known->second->has(host);
  }

 private:
  std::map<const Service*, std::optional<LocalAddresses>> known_;
};

}  // namespace

void mark_absent_addresses(Survey& survey) {
  Namespaces namespaces;
  for (SurveyedBinding& bound : survey.bindings)
    for (Endpoint& endpoint : bound.binding.endpoints) {
      const std::string& host = endpoint.address.host;
      if (endpoint.unproven.empty() && !host.empty() && !namespaces.may_have(*bound.service, host))
        endpoint.unproven = fmt::format("this machine does not have the address {} now", host);
    }
}

}  // namespace certrebind
