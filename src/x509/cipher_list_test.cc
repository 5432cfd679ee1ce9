#include "x509/cipher_list.h"

#include <gtest/gtest.h>

namespace certrebind {
namespace {

TEST(CipherList, EachSuiteIsForOneTypeOfKey) {
  const std::string rsa = "ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA";
  EXPECT_TRUE(has_suite_for(rsa, KeyType::rsa));
  EXPECT_FALSE(has_suite_for(rsa, KeyType::ecdsa));
  EXPECT_FALSE(has_suite_for(rsa, KeyType::ed25519));
  EXPECT_FALSE(has_suite_for("ECDHE-ECDSA-AES128-GCM-SHA256", KeyType::rsa));
  EXPECT_TRUE(has_suite_for("HIGH:!aNULL", KeyType::ecdsa));
  EXPECT_FALSE(has_suite_for("HIGH:!aNULL:!aECDSA", KeyType::ecdsa));
}

TEST(CipherList, WhatIsNotKnownSuitsEveryKey) {
  EXPECT_TRUE(has_suite_for("", KeyType::ecdsa));
  EXPECT_TRUE(has_suite_for("PROFILE=SYSTEM", KeyType::ecdsa));
}

}  // namespace
}  // namespace certrebind
