#include "daemon/existing_successions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/task_queue.h"
#include "store/sightings.h"
#include "transaction/testing.h"

namespace certrebind {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ExistingSuccessionsTest : public ::testing::Test {
 protected:
  ExistingSuccessionsTest() {
    task_.name = "a";
    task_.events = {1001};
    task_.command = {"/bin/true"};
    EXPECT_TRUE(queue_.added(task_, test_now()));
  }
  void succeed(const std::string& old_one, const std::string& new_one, int at = 0) {
    SQLite::Statement insert(
        database_.handle(),
        "INSERT INTO successions VALUES (?, ?, 'same place', 'certbot', ?, ?, '')");
    insert.bind(1, old_one);
    insert.bind(2, new_one);
    insert.bind(3, "/tls/" + new_one);
    insert.bind(4, at);
    insert.exec();
  }
  // "A>C" for each queued run.
  std::vector<std::string> queued() {
    std::vector<std::string> all;
    auto runs = queue_.history("");
    for (const TaskRun& run : *runs) {
      auto event = find_event(database_, run.event.value_or(0));
      EXPECT_TRUE(event) << "every run has its event";
      if (event) all.insert(all.begin(), event->old_thumbprint + ">" + event->new_thumbprint);
    }
    return all;
  }
  ExistingRuns walk() { return *enqueue_for_existing(database_, task_, test_now()); }

  TemporaryDirectory directory_;
  Database database_ = *Database::open_for_writing(directory_.path() + "/state.db");
  TaskQueue queue_{database_};
  Task task_;
};

TEST_F(ExistingSuccessionsTest, NoneYet) {
  EXPECT_EQ(walk().queued, 0U);
  EXPECT_THAT(queued(), IsEmpty());
}

TEST_F(ExistingSuccessionsTest, EveryChainToItsEnd) {
  succeed("A", "B");
  succeed("B", "C");
  succeed("X", "Y");
  EXPECT_EQ(walk().queued, 3U);
  EXPECT_THAT(queued(), ElementsAre("A>C", "B>C", "X>Y"));
}

TEST_F(ExistingSuccessionsTest, OfTwoSuccessorsTheLatest) {
  succeed("A", "C", 1);
  succeed("A", "B", 2);
  walk();
  EXPECT_THAT(queued(), ElementsAre("A>B"));
}

TEST_F(ExistingSuccessionsTest, LongChainsAndRingsAreNotFollowed) {
  auto name = [](int i) { return fmt::format("{:02}", i); };
  for (int i = 0; i < 21; ++i) succeed(name(i), name(i + 1));
  succeed("P", "Q");
  succeed("Q", "P");
  ExistingRuns runs = walk();
  EXPECT_EQ(runs.too_long, 3U);
  EXPECT_EQ(runs.queued, 20U);
  EXPECT_EQ(queued().front(), "01>21");
}

TEST_F(ExistingSuccessionsTest, FiltersHoldAndDetailsComeFromWhatWasSeen) {
  FakeHost host({"a.test"});
  const std::string& der = host.new_ones[0].der;
  std::string thumbprint = Thumbprint::of_der(der).hex();
  ASSERT_TRUE(remember(database_, {{"/tls/x", Thumbprint::of_der(der), der}}, test_now()));
  succeed("A", thumbprint);
  succeed("X", "Y");
  task_.filter.names = {"*.test"};
  EXPECT_EQ(walk().queued, 1U);
  Event event = *find_event(database_, queue_.history("")->front().event.value_or(0));
  auto details = nlohmann::json::parse(event.details);
  EXPECT_EQ(details["new"]["sha1"], sha1_thumbprint(der));
  EXPECT_EQ(details["new"]["path"], "/tls/" + thumbprint);
  EXPECT_EQ(details["how"], "same place");
  EXPECT_THAT(event.names, ElementsAre("a.test"));
}

TEST_F(ExistingSuccessionsTest, TheEventsTriggerNothingElse) {
  succeed("A", "B");
  walk();
  Task other = task_;
  other.name = "other";
  ASSERT_TRUE(queue_.enqueue_for_new_events({task_, other}, test_now()));
  EXPECT_THAT(queued(), ElementsAre("A>B"));
}

}  // namespace
}  // namespace certrebind
