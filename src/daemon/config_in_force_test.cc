#include "daemon/config_in_force.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "sys/faulty_files.h"
#include "sys/memory_files.h"

namespace certrebind {
namespace {

using ::testing::HasSubstr;

const std::string kConfigFile = "/etc/certrebind/certrebind.toml";

TEST(ConfigInForce, WhatItSaidLastHoldsWhileItIsWrong) {
  MemoryFiles files;
  ConfigInForce config(files, kConfigFile);
  EXPECT_TRUE(config.look()) << "there is none";
  EXPECT_EQ(config.path(), kConfigFile);

  files.put(kConfigFile, "[daemon]\nquiet_seconds = 3\n");
  EXPECT_TRUE(config.look());
  EXPECT_EQ(config.path(), kConfigFile);

  files.put(kConfigFile, "[daemon]\nquite_seconds = 3\n");
  Done wrong = config.look();
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message(), HasSubstr(kConfigFile + ":2"));
  EXPECT_NE(config.path(), kConfigFile);
  EXPECT_EQ(files.read(config.path(), kConfigLimit).value(), "[daemon]\nquiet_seconds = 3\n");

  ConfigInForce another(files, kConfigFile);
  EXPECT_FALSE(another.look());
  EXPECT_EQ(another.path(), config.path()) << "it outlives the daemon";

  files.put(kConfigFile, "[daemon]\nquiet_seconds = 4\n");
  EXPECT_TRUE(config.look());
  EXPECT_EQ(config.path(), kConfigFile);
}

// On a read-only /etc nothing can be kept; that is no mistake in the file.
TEST(ConfigInForce, AGoodOneThatCannotBeCopiedIsGood) {
  MemoryFiles memory;
  memory.put(kConfigFile, "[daemon]\nquiet_seconds = 3\n");
  FaultyFiles files(memory, 1, FaultyFiles::Fault::for_ever, EROFS);
  ConfigInForce config(files, kConfigFile);
  EXPECT_TRUE(config.look());
  EXPECT_FALSE(config.kept());
  EXPECT_EQ(config.path(), kConfigFile);
}

TEST(ConfigInForce, AWrongStoreIsAMistakeToo) {
  MemoryFiles files;
  files.put(kConfigFile, "[[store]]\nkind = \"certbots\"\npath = \"/x\"\n");
  ConfigInForce config(files, kConfigFile);
  EXPECT_FALSE(config.look());
  EXPECT_EQ(config.path(), kConfigFile) << "there never was a good one";
}

}  // namespace
}  // namespace certrebind
