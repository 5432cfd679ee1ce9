#include "transaction/reloader.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <set>

#include "transaction/testing.h"

namespace certrebind {
namespace {

class ReloaderTest : public ::testing::Test {
 protected:
  ReloaderTest() { host_.service.how.signal->workers = "worker process"; }
  void add_worker(int pid, uint64_t started, const std::string& called) {
    Process worker;
    worker.pid = pid;
    worker.parent = 100;
    worker.started = started;
    worker.arguments = {called};
    host_.processes.processes.push_back(worker);
  }
  void remove(int pid) {
    std::erase_if(host_.processes.processes, [&](const Process& p) { return p.pid == pid; });
  }

  FakeHost host_;
  Host host_view_ = host_.context().host;
  Reloader reloader_{&host_.service, host_view_};
};

TEST_F(ReloaderTest, KnowsTheMasterByPidAndStart) {
  EXPECT_TRUE(reloader_.is_running());
  EXPECT_FALSE(reloader_.master_is_gone());
  host_.processes.processes[0].started = 8;
  EXPECT_TRUE(reloader_.master_is_gone());
  EXPECT_FALSE(reloader_.reload());
  EXPECT_TRUE(host_.processes.signals.empty());
}

TEST_F(ReloaderTest, TheSignalWaitsUntilTheMasterTakesIt) {
  int looks = 0;
  host_.processes.ready = [&] { return ++looks == 3; };
  ASSERT_TRUE(reloader_.reload());
  EXPECT_EQ(looks, 3);
  EXPECT_EQ(host_.processes.signals.size(), 1);
}

TEST_F(ReloaderTest, AMasterThatNeverTakesTheSignalIsNotTold) {
  host_.processes.ready = [] { return false; };
  Done told = reloader_.reload();
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, Code::timed_out);
  EXPECT_TRUE(host_.processes.signals.empty());
}

TEST_F(ReloaderTest, AMasterThatEndsBeforeItTakesTheSignalIsGone) {
  host_.processes.ready = [&] {
    remove(100);
    return false;
  };
  Done told = reloader_.reload();
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, Code::not_found);
}

TEST_F(ReloaderTest, OldWorkersRemainUntilTheyAreGone) {
  add_worker(101, 8, "worker process");
  add_worker(102, 8, "cache manager process");
  EXPECT_FALSE(reloader_.old_workers_remain()) << "nothing was told to go";
  ASSERT_TRUE(reloader_.reload());
  add_worker(103, 9, "worker process");
  EXPECT_TRUE(reloader_.old_workers_remain());
  remove(101);
  EXPECT_FALSE(reloader_.old_workers_remain());
}

TEST_F(ReloaderTest, AWorkerThatOnlyFinishesTakesNoMoreConnections) {
  add_worker(101, 8, "worker process");
  ASSERT_TRUE(reloader_.reload());
  host_.processes.processes[1].arguments = {"worker process is shutting down"};
  EXPECT_FALSE(reloader_.old_workers_remain());
}

TEST_F(ReloaderTest, ANewWorkerWithAnOldPidIsNew) {
  add_worker(101, 8, "worker process");
  ASSERT_TRUE(reloader_.reload());
  host_.processes.processes[1].started = 9;
  EXPECT_FALSE(reloader_.old_workers_remain());
}

// All children have the same name: those that no longer hold the master's listeners are finishing.
TEST_F(ReloaderTest, WorkersMayBeKnownByTheListenersThatTheyHold) {
  host_.service.how.signal->workers.clear();
  host_.service.how.signal->workers_listen = Listening::of_master;
  host_.processes.held = {{100, {1, 2}}, {101, {1, 2, 9}}, {102, {1, 3}}};
  host_.processes.listening = {1, 3};
  add_worker(101, 8, "server");
  add_worker(102, 8, "server");
  add_worker(103, 8, "logger");
  ASSERT_TRUE(reloader_.reload());
  add_worker(104, 9, "server");
  host_.processes.held[104] = {1};
  EXPECT_TRUE(reloader_.old_workers_remain());
  host_.processes.held[101] = {2, 9};
  EXPECT_TRUE(reloader_.old_workers_remain());
  host_.processes.held[102] = {3};
  EXPECT_FALSE(reloader_.old_workers_remain()) << "a listener of its own is not the master's";
}

TEST_F(ReloaderTest, WithoutAServiceNothingRuns) {
  Reloader none(nullptr, host_view_);
  EXPECT_FALSE(none.is_running());
  EXPECT_TRUE(none.master_is_gone());
  EXPECT_FALSE(none.reload());
}

// The master took the signal but went on with its old workers: their answers prove nothing.
TEST_F(ReloaderTest, ProofWaitsForTheOldWorkers) {
  add_worker(101, 8, "worker process");
  auto account = carry_out(host_.context(), host_.work());
  ASSERT_TRUE(account);
  EXPECT_NE(account->outcome, Outcome::committed);
  EXPECT_EQ(host_.on_disk(), "old");
}

TEST_F(ReloaderTest, WorkersToldByTheirSocketsAreOldWhileTheyListen) {
  host_.service.how.signal->workers.clear();
  host_.service.how.signal->workers_listen = Listening::of_their_own;
  host_.processes.processes[0].executable = "/usr/sbin/fake";
  add_worker(101, 8, "fake");
  host_.processes.processes.back().executable = "/usr/sbin/fake";
  add_worker(102, 8, "helper");  // another program that the master started
  host_.processes.processes.back().executable = "/usr/bin/helper";
  host_.processes.held = {{101, {1}}, {102, {2}}};
  host_.processes.listening = {1, 2};
  ASSERT_TRUE(reloader_.reload());
  EXPECT_TRUE(reloader_.old_workers_remain());
  host_.processes.listening = {2};  // 101 finishes what it has
  EXPECT_FALSE(reloader_.old_workers_remain());
}

// Some addresses are taken by other programs.
class TakenAddresses final : public Network {
 public:
  std::set<uint16_t> ports;
  Result<std::unique_ptr<Stream>> connect(const Address& address, SteadyTime) const override {
    return fail(Code::failed, "connect to", address.text(), "refused");
  }
  Done try_listen(const Address& address, bool shared) const override {
    if (!ports.contains(address.port) || shared) return {};
    return fail(Code::busy, "listen on", address.text(), "another program listens there");
  }
};

class OccupiedTest : public ReloaderTest {
 protected:
  OccupiedTest() {
    network_.ports = {80, 443};
    host_.processes.ports = {{100, {443}}, {101, {}}};
    add_worker(101, 8, "worker process");
    host_.service.wants = {{.address = {"0.0.0.0", 443, ""}, .where = "/etc/fake:1"},
                           {.address = {"0.0.0.0", 80, ""}, .where = "/etc/fake:7"}};
  }
  TakenAddresses network_;
  Host host_there_{host_.files, host_.processes, host_.commands, network_, host_.clock};
  Reloader there_{&host_.service, host_there_};
};

TEST_F(OccupiedTest, AnAddressThatAnotherProgramHoldsForbidsAReload) {
  Done chosen = there_.choose({});
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().message(),
            "cannot reload fake:/etc/fake/fake.conf: the configuration listens on 0.0.0.0:80 "
            "(/etc/fake:7), but another program listens there");
  EXPECT_FALSE(there_.reload()) << "nor later, when it was taken meanwhile";
  EXPECT_TRUE(host_.processes.signals.empty());
}

TEST_F(OccupiedTest, WhatItHoldsItselfIsItsOwn) {
  host_.processes.ports[101] = {80};
  EXPECT_TRUE(there_.choose({}));
  EXPECT_TRUE(there_.reload());
}

TEST_F(OccupiedTest, WhatIsSharedIsFree) {
  host_.service.wants[1].shared = true;
  EXPECT_TRUE(there_.choose({}));
}

// A control socket that answers from a list. "silence" is no answer.
class ScriptedSocket final : public Network {
 public:
  mutable std::deque<std::string> answers;
  mutable std::vector<std::string> heard;
  mutable std::vector<SteadyTime> deadlines;
  std::function<void()> before_answer = [] {};
  std::optional<uint32_t> user = own_user();  // user of the listener; unset: unknown

  Result<std::unique_ptr<Stream>> connect(const Address& address, SteadyTime) const override {
    if (answers.empty()) return fail(Code::failed, "connect to", address.text(), "refused");
    return std::make_unique<Connection>(*this);
  }

 private:
  class Connection final : public Stream {
   public:
    explicit Connection(const ScriptedSocket& socket) : socket_(socket) {}
    Result<std::string> read(SteadyTime) override {
      if (answer_ == "silence") return fail(Code::timed_out, "read from", "/control", "silence");
      return std::exchange(answer_, "");
    }
    Done write(std::string_view bytes, SteadyTime deadline) override {
      socket_.heard.emplace_back(bytes);
      socket_.deadlines.push_back(deadline);
      socket_.before_answer();
      answer_ = socket_.answers.front();
      socket_.answers.pop_front();
      return {};
    }
    std::optional<uint32_t> peer_user() const override { return socket_.user; }

   private:
    const ScriptedSocket& socket_;
    std::string answer_;
  };
};

// Expects one request; "yes" means success, "busy" means that another client has a change open.
class OneRequest final : public SocketConversation {
 public:
  explicit OneRequest(std::string request) : request_(std::move(request)) {}
  std::optional<std::string> request() override {
    return answer_ ? std::nullopt : std::optional(request_);
  }
  void hear(std::string_view answer) override { answer_ = answer; }
  Done outcome() const override {
    if (answer_ == "yes") return {};
    return fail(answer_ == "busy" ? Code::busy : Code::failed, "say", request_, "no");
  }

 private:
  std::string request_;
  std::optional<std::string> answer_;
};

class FakeLive final : public LiveUpdate {
 public:
  explicit FakeLive(bool possible) : possible_(possible) {}
  Address address() const override { return {"", 0, "/control"}; }
  std::unique_ptr<SocketConversation> question() const override {
    return std::make_unique<OneRequest>("may I?");
  }
  Result<std::unique_ptr<SocketConversation>> update(bool resumed) const override {
    if (!possible_) return fail(Code::failed, "say", "", "too much");
    return std::make_unique<OneRequest>(resumed ? "again" : "take");
  }

 private:
  bool possible_;
};

// Ten requests, one after the other.
class TenRequests final : public SocketConversation {
 public:
  std::optional<std::string> request() override {
    return heard_ < 10 ? std::optional(std::to_string(heard_)) : std::nullopt;
  }
  void hear(std::string_view) override { ++heard_; }
  Done outcome() const override { return {}; }

 private:
  int heard_ = 0;
};

class SlowLive final : public LiveUpdate {
 public:
  Address address() const override { return {"", 0, "/control"}; }
  std::unique_ptr<SocketConversation> question() const override {
    return std::make_unique<OneRequest>("may I?");
  }
  Result<std::unique_ptr<SocketConversation>> update(bool) const override {
    return std::make_unique<TenRequests>();
  }
};

class LiveReloaderTest : public ReloaderTest {
 protected:
  LiveReloaderTest() {
    host_.service.how.live = [this](const std::vector<std::string>& files) {
      asked_of_ = files;
      return std::make_unique<FakeLive>(possible_);
    };
  }
  std::vector<std::string> asked_of_;
  bool possible_ = true;
  ScriptedSocket socket_;
  Host with_socket_{host_.files, host_.processes, host_.commands, socket_, host_.clock};
  Reloader live_{&host_.service, with_socket_};
};

TEST_F(LiveReloaderTest, TellsOverTheSocketWithoutASignal) {
  socket_.answers = {"yes", "yes"};
  ASSERT_TRUE(live_.choose({"/a.pem"}));
  EXPECT_EQ(asked_of_, std::vector<std::string>{"/a.pem"});
  EXPECT_TRUE(live_.is_live());
  ASSERT_TRUE(live_.tell(true));
  EXPECT_EQ(socket_.heard, (std::vector<std::string>{"may I?", "again"}));
  EXPECT_TRUE(host_.processes.signals.empty());
  EXPECT_FALSE(live_.old_workers_remain());
}

TEST_F(LiveReloaderTest, ASocketThatWillNotDoMeansAReload) {
  for (std::deque<std::string> answers : {std::deque<std::string>{}, {"no"}}) {
    socket_.answers = answers;
    ASSERT_TRUE(live_.choose({"/a.pem"}));
    EXPECT_FALSE(live_.is_live());
    ASSERT_TRUE(live_.tell(false));
  }
  EXPECT_EQ(host_.processes.signals.size(), 2U);
}

// We hold the lock meanwhile, and a user's server may answer as slowly as that user likes.
TEST_F(LiveReloaderTest, AServerOfAUserHoldsNobodyUpForLong) {
  host_.service.how.live = [](const std::vector<std::string>&) {
    return std::make_unique<SlowLive>();
  };
  for (const bool is_ours : {true, false}) {
    const uint32_t owner = is_ours ? own_user() : own_user() + 4321;
    host_.service.set_trust({.owner = owner});
    socket_.user = owner;
    socket_.answers = std::deque<std::string>(11, "yes");
    socket_.before_answer = [] {};
    ASSERT_TRUE(live_.choose({"/a.pem"}));
    socket_.deadlines.clear();
    socket_.before_answer = [this] { host_.clock.sleep(std::chrono::seconds(14)); };
    const SteadyTime begin = host_.clock.steady();
    ASSERT_TRUE(live_.tell(false));
    ASSERT_EQ(socket_.deadlines.size(), 10U);
    const auto longest = *std::ranges::max_element(socket_.deadlines) - begin;
    EXPECT_EQ(longest <= std::chrono::seconds(60), !is_ours);
  }
}

TEST_F(LiveReloaderTest, ASocketOfAStrangerIsToldNothing) {
  socket_.answers = {"yes", "yes"};
  socket_.user = own_user() + 4321;
  ASSERT_TRUE(live_.choose({"/a.pem"}));
  EXPECT_FALSE(live_.is_live());
  EXPECT_TRUE(socket_.heard.empty());
  socket_.user = std::nullopt;  // an unknown user counts as a foreign one
  ASSERT_TRUE(live_.choose({"/a.pem"}));
  EXPECT_FALSE(live_.is_live());
  host_.service.set_trust({.owner = own_user() + 4321});  // the server's own user is none
  socket_.user = own_user() + 4321;
  ASSERT_TRUE(live_.choose({"/a.pem"}));
  EXPECT_TRUE(live_.is_live());
}

TEST_F(LiveReloaderTest, AServerThatOthersRuleIsToldNothing) {
  host_.service.set_trust({.owner = own_user(), .doubt = "/etc/x: it belongs to user 7"});
  socket_.answers = {"yes"};
  Done chosen = live_.choose({"/a.pem"});
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, Code::denied);
  EXPECT_FALSE(live_.reload());
  EXPECT_TRUE(host_.processes.signals.empty());
  EXPECT_TRUE(socket_.heard.empty());
}

TEST_F(LiveReloaderTest, WhatCannotBeBegunIsAReloadAfterAll) {
  possible_ = false;
  socket_.answers = {"yes"};
  ASSERT_TRUE(live_.choose({"/a.pem"}));
  ASSERT_TRUE(live_.tell(false));
  EXPECT_FALSE(live_.is_live());
  EXPECT_EQ(host_.processes.signals.size(), 1U);
}

TEST_F(LiveReloaderTest, SomebodyElsesChangeIsNotTrampledByAReloadEither) {
  socket_.answers = {"busy"};
  Done chosen = live_.choose({"/a.pem"});
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, Code::busy);
}

TEST_F(LiveReloaderTest, ARefusalInTheMiddleIsNoReasonForASignal) {
  socket_.answers = {"yes", "no"};
  ASSERT_TRUE(live_.choose({"/a.pem"}));
  EXPECT_FALSE(live_.tell(false));
  EXPECT_TRUE(host_.processes.signals.empty());
}

TEST_F(LiveReloaderTest, ASocketThatIsSilentIsNotToldAgain) {
  socket_.answers = {"yes", "silence"};
  ASSERT_TRUE(live_.choose({"/a.pem"}));
  Done told = live_.tell(false);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, Code::timed_out);
  EXPECT_FALSE(live_.tell(true));
  EXPECT_EQ(socket_.heard, (std::vector<std::string>{"may I?", "take"}));
}

TEST_F(LiveReloaderTest, AQuestionIsGivenUpAfterSeconds) {
  const SteadyTime begin = host_.clock.steady();
  socket_.answers = {"silence"};
  ASSERT_TRUE(live_.choose({"/a.pem"}));
  EXPECT_FALSE(live_.is_live());
  EXPECT_LE(socket_.deadlines.front() - begin, std::chrono::seconds(5));
}

// Each answer comes in time, and there are many.
TEST_F(LiveReloaderTest, SoIsAConversationOfManySlowAnswers) {
  class Endless final : public LoadedView {
   public:
    Address address() const override { return {"", 0, "/control"}; }
    std::optional<std::string> request() override { return "and?"; }
    void hear(std::string_view) override {}
    Done outcome() const override { return {}; }
    std::vector<std::string> unseen() const override { return {}; }
  };
  host_.service.how.view = [] { return std::make_unique<Endless>(); };
  host_.service.set_trust({.owner = own_user()});
  socket_.answers.resize(100, "yes");
  socket_.before_answer = [&] {
    host_.clock.sleep(std::chrono::seconds(4));
    if (host_.clock.steady() > socket_.deadlines.back()) socket_.answers.front() = "silence";
  };
  const SteadyTime begin = host_.clock.steady();
  EXPECT_FALSE(live_.unseen());
  EXPECT_LE(host_.clock.steady() - begin, std::chrono::seconds(20));
}

TEST_F(LiveReloaderTest, WhereOnlyARestartLoadsTheSocketIsAllThereIs) {
  host_.service.how.restart_only = "it has no master";
  EXPECT_FALSE(live_.choose({"/a.pem"}));  // the socket is dead
  EXPECT_FALSE(live_.reload());
  socket_.answers = {"yes", "yes"};
  ASSERT_TRUE(live_.choose({"/a.pem"}));
  EXPECT_TRUE(live_.tell(false));
  host_.service.how.live = {};
  EXPECT_EQ(live_.choose({"/a.pem"}).error().code, Code::unsupported);
  EXPECT_TRUE(host_.processes.signals.empty());
}

}  // namespace
}  // namespace certrebind
