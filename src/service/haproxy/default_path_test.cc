#include "service/haproxy/default_path.h"

#include <gtest/gtest.h>

#include "service/rooted_for_test.h"

namespace certrebind::haproxy {
namespace {

class HaproxyDefaultPath : public ::testing::Test {
 protected:
  Rooted rooted_{{{"/etc/h/a.cfg", ""}, {"/etc/h/d/b.cfg", ""}}};
  DefaultPath path_{"/work", rooted_.root};
};

TEST_F(HaproxyDefaultPath, IsWhereHaproxyWasStarted) {
  path_.enter("/etc/h/a.cfg");
  EXPECT_EQ(path_.directory(), "/work");
}

TEST_F(HaproxyDefaultPath, CountsAtOnceAndForLaterFiles) {
  path_.enter("/etc/h/a.cfg");
  path_.set("config", "", "/etc/h/a.cfg");
  EXPECT_EQ(path_.directory(), "/etc/h");
  path_.enter("/etc/h/d/b.cfg");
  EXPECT_EQ(path_.directory(), "/etc/h/d");
  path_.set("parent", "", "/etc/h/d/b.cfg");
  EXPECT_EQ(path_.directory(), "/etc/h");
  path_.set("origin", "sub/x", "/etc/h/d/b.cfg");
  EXPECT_EQ(path_.directory(), "/work/sub/x");
  path_.enter("/etc/h/a.cfg");
  EXPECT_EQ(path_.directory(), "/work/sub/x");
  path_.set("origin", "/abs", "/etc/h/a.cfg");
  EXPECT_EQ(path_.directory(), "/abs");
  path_.set("current", "", "/etc/h/a.cfg");
  EXPECT_EQ(path_.directory(), "/work");
}

TEST_F(HaproxyDefaultPath, AFileInTheRootDirectoryNamesNone) {
  path_.set("config", "", "/x.cfg");
  EXPECT_EQ(path_.directory(), "/work");
}

}  // namespace
}  // namespace certrebind::haproxy
