#include "survey/policy.h"

#include <gtest/gtest.h>

namespace certrebind {
namespace {

const ServiceId kFtp{"vsftpd", "/etc/vsftpd.conf"};
// 1970-01-04, a Sunday, 03:30 UTC.
const WallTime kSunday{std::chrono::hours(3 * 24 + 3) + std::chrono::minutes(30)};

RestartPermit permit(std::vector<Policy> policies, WallTime now = kSunday) {
  Settings settings;
  settings.policies = std::move(policies);
  return restart_permit(settings, kFtp, now);
}

Policy allows(const std::string& service, const std::string& window = "") {
  Policy policy;
  policy.service = service;
  policy.window = window;
  policy.allow_restart = true;
  return policy;
}

TEST(RestartPermit, IsNotGivenUnasked) {
  EXPECT_FALSE(permit({}).is_given);
  EXPECT_FALSE(permit({}).not_now.empty());
  EXPECT_FALSE(permit({allows("grafana:*")}).is_given);
}

TEST(RestartPermit, HoldsWithinTheWindow) {
  EXPECT_TRUE(permit({allows("vsftpd:*")}).not_now.empty());
  EXPECT_TRUE(permit({allows("vsftpd:*", "Sun 03:00-05:00 UTC")}).not_now.empty());
  const RestartPermit later = permit({allows("vsftpd:*", "Mon 03:00-05:00 UTC")});
  EXPECT_TRUE(later.is_given);
  EXPECT_NE(later.not_now.find("Mon 03:00-05:00 UTC: opens"), std::string::npos) << later.not_now;
}

TEST(RestartPermit, IsGivenByTheFirstPolicyForTheWholeServer) {
  Policy site;
  site.site = "shop";
  EXPECT_TRUE(permit({site, allows("vsftpd:*")}).is_given);
  EXPECT_FALSE(permit({Policy{}, allows("vsftpd:*")}).is_given);
}

}  // namespace
}  // namespace certrebind
