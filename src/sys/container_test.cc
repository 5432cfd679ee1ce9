#include "sys/container.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certrebind {
namespace {

using ::testing::Optional;

// A container of Docker's kind: an image, a directory of this host read-only, one writable, one
// file.
constexpr const char* kInside =
    "600 500 0:50 / / rw,relatime - overlay overlay rw\n"
    "601 600 8:1 /srv/certs /etc/tls ro,relatime - ext4 /dev/sda1 rw\n"
    "602 600 8:1 /srv/with\\040blank /data rw - ext4 /dev/sda1 rw\n"
    "603 600 8:1 /srv/one.pem /etc/one.pem ro - ext4 /dev/sda1 rw\n"
    "604 600 8:1 /srv/both /etc/both ro - ext4 /dev/sda1 rw\n"
    "605 600 8:1 /srv/both/sub /elsewhere rw - ext4 /dev/sda1 rw\n"
    "606 600 0:60 / /etc/secret ro - tmpfs tmpfs rw\n";
constexpr const char* kOurs =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "23 22 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n";

ContainerPaths paths() {
  return {"/proc/7/root", parse_mounts(kInside), parse_mounts(kOurs)};
}

TEST(ContainerPaths, KnowsWhereAMountLiesOnThisHost) {
  EXPECT_THAT(paths().on_host("/etc/tls/a/b.pem"), Optional(std::string("/srv/certs/a/b.pem")));
  EXPECT_THAT(paths().on_host("/etc/tls"), Optional(std::string("/srv/certs")));
  EXPECT_THAT(paths().on_host("/data/x"), Optional(std::string("/srv/with blank/x")));
  EXPECT_THAT(paths().on_host("/etc/nginx.conf"),
              Optional(std::string("/var/lib/docker/overlay2/x/merged/etc/nginx.conf")));
  EXPECT_EQ(paths().on_host("/etc/secret/x"), std::nullopt) << "no mount of ours shows it";
}

TEST(ContainerPaths, KnowsTheWayBack) {
  EXPECT_THAT(paths().inside("/srv/certs/a/b.pem"), Optional(std::string("/etc/tls/a/b.pem")));
  EXPECT_THAT(paths().inside("/proc/7/root/etc/x"), Optional(std::string("/etc/x")));
  EXPECT_THAT(paths().inside("/proc/7/root"), Optional(std::string("/")));
  EXPECT_EQ(paths().inside("/srv/certsandmore"), std::nullopt);
  EXPECT_EQ(paths().inside("/etc/shadow"), std::nullopt);
}

TEST(ContainerPaths, KnowsWhatTheContainerMayChange) {
  EXPECT_FALSE(paths().may_change("/etc/tls/a.pem"));
  EXPECT_TRUE(paths().may_change("/data/a.pem"));
  EXPECT_TRUE(paths().may_change("/etc/nginx.conf"));
  EXPECT_FALSE(paths().may_change("/etc/both/a.pem"));
  EXPECT_TRUE(paths().may_change("/etc/both/sub/a.pem")) << "by its other mount";
}

TEST(ContainerPaths, KnowsWhatAnotherContainerMayChange) {
  const std::vector<Mount> theirs = parse_mounts(
      "700 500 8:1 /srv/certs/a /data rw - ext4 /dev/sda1 rw\n"
      "701 500 8:2 /srv/certs /other rw - ext4 /dev/sdb1 rw\n");
  EXPECT_TRUE(paths().may_change("/etc/tls/a/b.pem", theirs));
  EXPECT_FALSE(paths().may_change("/etc/tls/b.pem", theirs));
}

TEST(ContainerPaths, KnowsASingleFile) {
  EXPECT_TRUE(paths().is_mounted_alone("/etc/one.pem"));
  EXPECT_FALSE(paths().is_mounted_alone("/etc/tls/a.pem"));
}

TEST(Container, IsRecognizedByItsRoot) {
  EXPECT_THAT(process_of_container("/proc/4711/root"), Optional(4711));
  for (const char* other : {"/", "", "/proc/root", "/proc//root", "/proc/4x/root", "/srv/7/root"})
    EXPECT_EQ(process_of_container(other), std::nullopt) << other;
}

TEST(Container, IsThatOfAPath) {
  EXPECT_EQ(container_of("/proc/4711/root/etc/x"), "/proc/4711/root");
  for (const char* other : {"/proc/4711/root", "/etc/root/x", "/proc/self/root/x", ""})
    EXPECT_EQ(container_of(other), "") << other;
}

}  // namespace
}  // namespace certrebind
