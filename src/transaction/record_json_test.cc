#include "transaction/record_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace certrebind {
namespace {

std::string every_byte() {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  return all;
}

JournalRecord record() {
  JournalRecord made;
  made.token = "0badcafe";
  made.files = {{"/etc/\xff\xfe/\"quoted\"\\", "aa", "bb", "/etc/\xff\xfe"},
                {"/etc/" + every_byte(), "cc", "dd", "/\x80", true, ModeChange{0644, 0600}}};
  made.successions = {{"01", "02", {"a.test", "\xe4.test", "*:443"}}, {"03", "04", {}}};
  made.expectations = {{.address = {.host = "::1", .port = 65535, .unix_path = {}},
                        .proxy_protocol = true,
                        .start_tls = StartTls::xmpp_server,
                        .sni = "a.test",
                        .site = "\xc3\xa4",
                        .old_thumbprint = Thumbprint::of_der("1"),
                        .new_thumbprint = Thumbprint::of_der("2"),
                        .old_type = KeyType::rsa,
                        .new_type = KeyType::ed448,
                        .in_memory = Thumbprint::of_der("3")},
                       {.address = {.host = {}, .port = 0, .unix_path = "@abstract\x80"},
                        .proxy_protocol = false,
                        .sni = {},
                        .site = {},
                        .old_thumbprint = {},
                        .new_thumbprint = {},
                        .old_type = KeyType::other,
                        .new_type = KeyType::other}};
  made.mends = true;
  made.decided = true;
  made.told = false;
  made.unit = "vsftpd@\\x2d.service";
  return made;
}

TEST(RecordJson, GivesBackWhatItWasGiven) {
  JournalRecord before = record();
  JournalRecord after = record_from_json(record_to_json(before));
  EXPECT_EQ(after.token, before.token);
  ASSERT_EQ(after.files.size(), before.files.size());
  for (size_t i = 0; i < before.files.size(); ++i) {
    EXPECT_EQ(after.files[i].path, before.files[i].path);
    EXPECT_EQ(after.files[i].before_digest, before.files[i].before_digest);
    EXPECT_EQ(after.files[i].after_digest, before.files[i].after_digest);
    EXPECT_EQ(after.files[i].staging, before.files[i].staging);
    EXPECT_EQ(after.files[i].was_absent, before.files[i].was_absent);
    EXPECT_EQ(after.files[i].mode, before.files[i].mode);
  }
  EXPECT_TRUE(after.mends && after.decided && !after.told);
  EXPECT_EQ(after.unit, before.unit);
  ASSERT_EQ(after.successions.size(), before.successions.size());
  for (size_t i = 0; i < before.successions.size(); ++i) {
    EXPECT_EQ(after.successions[i].old_thumbprint, before.successions[i].old_thumbprint);
    EXPECT_EQ(after.successions[i].new_thumbprint, before.successions[i].new_thumbprint);
    EXPECT_EQ(after.successions[i].sites, before.successions[i].sites);
  }
  ASSERT_EQ(after.expectations.size(), before.expectations.size());
  for (size_t i = 0; i < before.expectations.size(); ++i) {
    const Expectation &was = before.expectations[i], &is = after.expectations[i];
    EXPECT_EQ(is.address, was.address);
    EXPECT_EQ(is.proxy_protocol, was.proxy_protocol);
    EXPECT_EQ(is.start_tls, was.start_tls);
    EXPECT_EQ(is.sni, was.sni);
    EXPECT_EQ(is.site, was.site);
    EXPECT_EQ(is.old_thumbprint, was.old_thumbprint);
    EXPECT_EQ(is.new_thumbprint, was.new_thumbprint);
    EXPECT_EQ(is.old_type, was.old_type);
    EXPECT_EQ(is.new_type, was.new_type);
    EXPECT_EQ(is.in_memory, was.in_memory);
  }
}

TEST(RecordJson, ReadsRecordsWithoutStartTls) {
  auto json = nlohmann::json::parse(record_to_json(record()));
  for (auto& expectation : json["expectations"]) expectation.erase("start_tls");
  for (const Expectation& read : record_from_json(json.dump()).expectations)
    EXPECT_EQ(read.start_tls, StartTls::none);
}

TEST(RecordJson, NothingIsSomethingToo) {
  EXPECT_TRUE(record_from_json(record_to_json({})).files.empty());
}

TEST(RecordJson, RefusesWhatItDidNotWrite) {
  for (const char* text : {"", "{}", "[]", "{\"token\": 1}", "nonsense"})
    EXPECT_THROW((void)record_from_json(text), nlohmann::json::exception) << text;
}

}  // namespace
}  // namespace certrebind
