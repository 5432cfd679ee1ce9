#include "store/own.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/requests.h"
#include "sys/faulty_files.h"
#include "sys/memory_files.h"
#include "x509/testing.h"

namespace certrebind {
namespace {

Credentials credentials_of(const TestCertificate& pair) {
  return *read_credentials(pair.combined(), "", nullptr);
}

class OwnTest : public testing::Test {
 protected:
  bool holds(const Credentials& credentials) { return is_current(files_, own_, credentials); }

  MemoryFiles files_;
  TestAuthority ca_;
  Credentials old_ = credentials_of(ca_.issue({.names = {"a.test"}}));
  Credentials new_ = credentials_of(ca_.issue({.names = {"a.test"}}));
  OwnCertificate own_{.directory = "/etc/certrebind/certificates", .name = "a.test"};
};

TEST_F(OwnTest, ANewGenerationBecomesCurrent) {
  ASSERT_TRUE(write_generation(files_, own_, old_));
  EXPECT_TRUE(holds(old_));
  ASSERT_TRUE(write_generation(files_, own_, new_));
  EXPECT_TRUE(holds(new_) && !holds(old_));
  EXPECT_EQ(*files_.read_link(own_.current()), "0002");
  EXPECT_EQ(files_.stat(own_.key_path())->mode, 0600U);
  EXPECT_EQ(files_.stat(own_.home())->mode, 0700U);
  EXPECT_EQ(generations(files_, own_).size(), 2U);
  EXPECT_EQ(own_certificates(files_, own_.directory).size(), 1U);
}

// Whatever a power failure keeps of what was not synced.
TEST_F(OwnTest, ACrashLeavesOldOrNew) {
  for (unsigned kept = 0; kept < 64; ++kept)
    for (int at = 1;; ++at) {
      files_ = MemoryFiles();
      ASSERT_TRUE(write_generation(files_, own_, old_));
      FaultyFiles faulty(files_, at, FaultyFiles::Fault::power, 0);
      bool ended = false;
      try {
        ended = write_generation(faulty, own_, new_).has_value();
      } catch (const PowerFailure&) {
      }
      unsigned bits = kept;
      files_.crash([&] {
        bool survives = (bits & 1) != 0;
        bits = bits >> 1 | (bits & 1) << 5;
        return survives;
      });
      EXPECT_TRUE(holds(old_) || holds(new_)) << at;
      EXPECT_TRUE(!ended || holds(new_)) << at;
      Done again = write_generation(files_, own_, new_);
      ASSERT_TRUE(again) << at << ", " << kept << ": " << again.error().message();
      EXPECT_TRUE(holds(new_));
      if (ended) break;
    }
}

TEST_F(OwnTest, NamesStayInTheDirectory) {
  for (const char* name : {"", ".", "..", ".x", "-x", "a/b", "a\n", "a b", "\x1b", "ä"}) {
    EXPECT_FALSE(check_own_name(name)) << name;
    EXPECT_FALSE(write_generation(files_, {own_.directory, name}, old_)) << name;
  }
  CertificateOutline outline;
  for (const char* name : {"../../etc/passwd", "/etc", ".", "a\n\x1b[31m", "", "-x", "a.test"}) {
    outline.names = {name};
    EXPECT_TRUE(check_own_name(own_name_of(outline))) << own_name_of(outline);
  }
  outline.names = {"*.a.test"};
  EXPECT_EQ(own_name_of(outline), "_wildcard.a.test");
  outline.names = {"deadbeef"};
  EXPECT_EQ(own_name_of(outline), "_deadbeef");
}

TEST_F(OwnTest, OthersMustNotBeAbleToChangeTheWay) {
  files_.put("/etc/certrebind/x", "", 0600);
  ASSERT_TRUE(files_.make_directory(own_.directory, 0777));
  auto written = write_generation(files_, own_, old_);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::denied);
}

TEST_F(OwnTest, ArchivedGenerationsAreNumbered) {
  for (const char* number : {"0001", "0002"}) {
    ASSERT_TRUE(write_generation(files_, own_, old_));
    auto there = archive_own(files_, own_, "/etc/certrebind/archive");
    ASSERT_TRUE(there) << there.error().message();
    EXPECT_EQ(*there, std::string("/etc/certrebind/archive/a.test/") + number);
    EXPECT_TRUE(own_certificates(files_, own_.directory).empty());
  }
}

// A directory of somebody else, and one of ours into which somebody put something.
TEST_F(OwnTest, WhatItDidNotMakeIsNeverDeleted) {
  const std::string home = own_.home();
  for (const std::string foreign : {"/2024/privkey.pem", "/notes.txt", "/0002/privkey.pem",
                                    "/0001/site.conf", "/0001/cert.pem/x", "/current/cert.pem"}) {
    files_ = MemoryFiles();
    files_.put(home + foreign, "precious", 0600);
    EXPECT_FALSE(write_generation(files_, own_, old_)) << foreign;
    EXPECT_FALSE(delete_own(files_, own_)) << foreign;
    EXPECT_EQ(files_.read(home + foreign, 100).value_or(""), "precious") << foreign;
  }
  for (const std::string foreign : {"/0007x/a", "/notes.txt", "/0001/site.conf", "/0002/a/b"}) {
    files_ = MemoryFiles();
    ASSERT_TRUE(write_generation(files_, own_, old_));
    files_.put(home + foreign, "precious", 0600);
    EXPECT_FALSE(write_generation(files_, own_, new_)) << foreign;
    EXPECT_FALSE(delete_own(files_, own_)) << foreign;
    EXPECT_EQ(files_.read(home + foreign, 100).value_or(""), "precious") << foreign;
    EXPECT_TRUE(holds(old_)) << foreign;
  }
}

TEST_F(OwnTest, CurrentMustLeadToAGeneration) {
  for (const char* target : {"../../../root", "0002", "./0001", "1", "+001", "0001/.."}) {
    files_ = MemoryFiles();
    ASSERT_TRUE(write_generation(files_, own_, old_));
    ASSERT_TRUE(files_.remove(own_.current()));
    files_.put_link(own_.current(), target);
    EXPECT_FALSE(write_generation(files_, own_, new_)) << target;
    EXPECT_FALSE(delete_own(files_, own_)) << target;
    EXPECT_TRUE(files_.lstat(own_.home() + "/0001/privkey.pem")) << target;
    EXPECT_TRUE(own_certificates(files_, own_.directory).empty()) << target;
  }
}

TEST_F(OwnTest, AWholeGenerationAboveTheCurrentOneStays) {
  ASSERT_TRUE(write_generation(files_, own_, old_));
  ASSERT_TRUE(write_generation(files_, own_, new_));
  ASSERT_TRUE(files_.remove(own_.current()));
  files_.put_link(own_.current(), "0001");
  const Credentials third = credentials_of(ca_.issue({.names = {"a.test"}}));
  ASSERT_TRUE(write_generation(files_, own_, third));
  EXPECT_EQ(*files_.read_link(own_.current()), "0003");
  EXPECT_EQ(generations(files_, own_).size(), 3U);
}

TEST_F(OwnTest, AnUnfinishedGenerationIsRemoved) {
  files_.put(own_.home() + "/0001/privkey.pem", "half", 0600);
  ASSERT_TRUE(write_generation(files_, own_, old_));
  files_.put(own_.home() + "/0002/cert.pem", "half", 0600);
  ASSERT_TRUE(write_generation(files_, own_, new_));
  EXPECT_EQ(*files_.list(own_.home()), (std::vector<std::string>{"0001", "0002", "current"}));
  EXPECT_TRUE(holds(new_));
}

TEST_F(OwnTest, WhatIsDeletedIsGone) {
  ASSERT_TRUE(write_generation(files_, own_, old_));
  ASSERT_TRUE(delete_own(files_, own_));
  EXPECT_FALSE(files_.lstat(own_.home()));
}

TEST_F(OwnTest, ARequestIsFoundByItsKey) {
  const OpenRequest request{"/etc/certrebind/requests", "a.test"};
  auto made = make_request({.names = {"a.test"}});
  ASSERT_TRUE(write_request(files_, request, *made));
  EXPECT_EQ(write_request(files_, request, *made).error().code, Code::exists);
  auto leaf = Certificate::parse(ca_.issue({.key_pem = made->key_pem}).der);
  auto found = request_for(files_, request.directory, *leaf);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key_pem, made->key_pem);
  EXPECT_FALSE(request_for(files_, request.directory, old_.bundle.leaf));
  files_.put(request.home() + "/precious", "");
  EXPECT_FALSE(remove_request(files_, request));
  EXPECT_TRUE(files_.lstat(request.key_path()));
  ASSERT_TRUE(files_.remove(request.home() + "/precious"));
  ASSERT_TRUE(remove_request(files_, request));
  EXPECT_TRUE(open_requests(files_, request.directory).empty());
}

}  // namespace
}  // namespace certrebind
