#include "observe/history.h"

#include <gtest/gtest.h>

#include "transaction/testing.h"

namespace certrebind {
namespace {

// One binding that no handshake shows: OLD was seen at its path, where NEW lies now.
class NotLoadedTest : public ::testing::Test {
 protected:
  NotLoadedTest() {
    host_.service.adorn = [](Binding& binding) { binding.endpoints.clear(); };
    host_.service.how.signal->workers = "worker process";
    history_.sightings = {{host_.certificate_path(0), host_.old_ones[0].thumbprint, ""}};
    host_.files.put(host_.certificate_path(0), host_.new_ones[0].chain_pem);
    host_.files.put(host_.key_path(0), host_.new_ones[0].key_pem);
  }
  std::optional<Thumbprint> not_loaded() {
    Survey survey = host_.survey();
    mark_not_loaded(host_.context().host, history_, survey);
    return survey.bindings[0].not_loaded;
  }

  FakeHost host_;
  History history_;
};

TEST_F(NotLoadedTest, ChangedAfterTheWorkersWereStarted) {
  host_.worker_started(host_.changed_ms(host_.certificate_path(0)) - 1);
  EXPECT_EQ(not_loaded(), host_.old_ones[0].thumbprint);
}

TEST_F(NotLoadedTest, ChangedBeforeTheWorkersWereStarted) {
  host_.worker_started(host_.changed_ms(host_.certificate_path(0)));
  EXPECT_EQ(not_loaded(), std::nullopt);
}

TEST_F(NotLoadedTest, TheOldestWorkerCounts) {
  host_.worker_started(host_.changed_ms(host_.certificate_path(0)) + 1000);
  EXPECT_EQ(not_loaded(), std::nullopt);
  host_.worker_started(host_.changed_ms(host_.certificate_path(0)) - 1000);
  EXPECT_EQ(not_loaded(), host_.old_ones[0].thumbprint);
}

TEST_F(NotLoadedTest, ALinkThatWasTurnedToAnOlderFile) {
  host_.files.put("/archive/1.pem", host_.new_ones[0].chain_pem);
  int64_t before = host_.changed_ms("/archive/1.pem") + 1;
  host_.worker_started(before);
  host_.files.put("/in/between", "");
  host_.files.put_link(host_.certificate_path(0), "/archive/1.pem");
  ASSERT_GT(host_.changed_ms(host_.certificate_path(0)), before);
  EXPECT_EQ(not_loaded(), host_.old_ones[0].thumbprint);
}

TEST_F(NotLoadedTest, WhereNothingElseWasEverSeenThereNothingIsKnown) {
  host_.worker_started(0);
  history_.sightings = {{host_.certificate_path(0), host_.new_ones[0].thumbprint, ""},
                        {"/elsewhere.pem", host_.old_ones[0].thumbprint, ""}};
  EXPECT_EQ(not_loaded(), std::nullopt);
}

TEST_F(NotLoadedTest, WhatHandshakesShowIsLeftToThem) {
  host_.worker_started(0);
  host_.service.adorn = {};
  EXPECT_EQ(not_loaded(), std::nullopt);
}

TEST_F(NotLoadedTest, AServerThatIsDownLoadsAtItsStart) {
  host_.worker_started(0);
  host_.service.how.signal.reset();
  EXPECT_EQ(not_loaded(), std::nullopt);
}

TEST_F(NotLoadedTest, WhoseWorkersAreNotToldApartIsNotJudged) {
  EXPECT_EQ(not_loaded(), std::nullopt);
}

// Over a control socket a server takes up files without new workers.
TEST_F(NotLoadedTest, WhatWeHadItTakeUpSince) {
  host_.worker_started(0);
  history_.journal = &host_.journal();
  auto commit = [&](const std::string& path) {
    JournalRecord record;
    record.token = "t";
    record.loads = {path};
    auto row = host_.journal().begin(Act::rebind, host_.service.id(), record, {});
    ASSERT_TRUE(host_.journal().end(*row, {.account = {}, .owed = false, .events = {}}));
  };
  commit("/other.pem");
  EXPECT_EQ(not_loaded(), host_.old_ones[0].thumbprint);
  commit(host_.certificate_path(0));
  EXPECT_EQ(not_loaded(), std::nullopt);
}

}  // namespace
}  // namespace certrebind
