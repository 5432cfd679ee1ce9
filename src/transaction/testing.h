// For tests only: a host in memory with one server, from its files to its handshakes.
//
//   FakeHost host({"a.test", "b.test"});                    // the old certificates everywhere
//   auto account = carry_out(host.context(), host.work());  // replaces them by the new ones
//   EXPECT_EQ(host.on_disk(), "new");
//
// Files, processes, commands, the clock and the network are fakes; the database is real. Like a
// real server, the fake reads its configuration and files when it is signalled.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "probe/testing.h"
#include "sys/disk.h"
#include "sys/faulty_files.h"
#include "sys/memory_files.h"
#include "sys/scripted.h"
#include "transaction/transaction.h"
#include "x509/testing.h"

namespace certrebind {

// Sends HUP to process 100, which started at time 7.
Reload reload_of_fake();

// A server program whose configuration has one line for each site, with five words:
//   site NAME PORT CERTIFICATE KEY
class FakeService final : public Service {
 public:
  FakeService(const Files& files, std::string path) : files_(files), id_{"fake", std::move(path)} {}

  // Tests may change these.
  std::function<void(Binding&)> adorn;  // called for each binding that is read
  std::optional<Command> test = Command{.arguments = {"fake-server", "-t"}, .root = {}};
  Reload how = reload_of_fake();
  std::vector<ListenAddress> wants;
  uint32_t reader = 0;
  std::optional<Rehearsal> rehearses;
  std::optional<Command> asks;
  OnBadCertificate when_bad = OnBadCertificate::keeps_old;

  const ServiceId& id() const override { return id_; }
  const Files& files() const override { return files_; }
  Result<Discovery> bindings() const override;
  Result<std::vector<FileEdit>> repoint(const Binding& binding,
                                        const CertificateFiles& files) const override;
  std::optional<Command> config_test() const override { return test; }
  std::optional<SelfReport> self_report() const override {
    auto doubts = [this](const CommandOutput& view, const std::vector<std::string>& named) {
      return std::vector<Diagnostic>{
          {Severity::warning, id_.path, 0, 0, view.output + ", not " + join(named, ", ")}};
    };
    return SelfReport{
        .own_view = asks, .doubts = doubts, .rehearsal = [this] { return rehearses; }};
  }
  Reload reload() const override { return how; }
  OnBadCertificate on_bad_certificate() const override { return when_bad; }
  uint32_t key_reader() const override { return reader; }

 private:
  const Files& files_;
  ServiceId id_;
};

// Records its calls; `on_phase` may throw PowerFailure.
class FakeWatcher final : public Watcher {
 public:
  std::vector<Phase> phases;
  std::function<void(Phase)> on_phase;
  void phase(const ServiceId&, Phase phase) override {
    phases.push_back(phase);
    if (on_phase) on_phase(phase);
  }
  void proven(size_t, size_t) override {}
};

// A temporary directory on the disk; the destructor removes it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// 2026-01-01: within the validity of TestRequest's certificates.
WallTime test_now();

inline const std::string kFakeConfig = "/etc/fake/fake.conf";
inline constexpr uint16_t kFakePort = 443;

// A network with a prober on it. A prober is expensive to make, so they are reused.
struct FakeWire {
  FakeTls network;
  ManualClock clock{WallTime{}};
  Prober prober{network, clock, milliseconds(5000)};
};
using FakeWirePtr = std::unique_ptr<FakeWire, void (*)(FakeWire*)>;
FakeWirePtr take_wire();

// All sites share an authority. Each site has /etc/fake/SITE.pem and /etc/fake/SITE.key, and a
// renewed certificate. Site number N listens on port 443 + N.
class FakeHost {
 public:
  explicit FakeHost(std::vector<std::string> sites = {"a.test"});

 private:
  FakeWirePtr wire_ = take_wire();

 public:
  FakeTls& network = wire_->network;
  const Prober& prober = wire_->prober;
  TemporaryDirectory directory;
  const TestAuthority& authority;  // the root
  const TestAuthority& issuer;     // the intermediate that issues the leaves
  MemoryFiles files;
  ScriptedProcesses processes;
  ScriptedCommands commands;
  ManualClock clock{test_now()};
  FakeService service{files, kFakeConfig};
  FakeWatcher watcher;
  Settings settings;
  std::vector<std::string> sites;
  std::vector<TestCertificate> old_ones, new_ones;

  State& state() { return *state_; }
  Journal& journal() { return *journal_; }
  // Uses `files`, or `instead`, which wraps them.
  TransactionContext context() { return context(files); }
  TransactionContext context(Files& instead);

  // Replaces every site's certificate and key by the new ones.
  TransactionRequest work() const;
  // The server reads its configuration and files again. If they are invalid, it keeps what it has.
  void server_reads();
  // A survey of the service's current bindings. The survey owns a service that is like this one.
  Survey survey() const;
  // Adds a worker that started at this time on the clock of `files`.
  void worker_started(int64_t at_ms);
  // When the file or link at `path` changed, in milliseconds on the clock of `files`.
  int64_t changed_ms(const std::string& path) const;
  // Simulates a power failure and a restart: only what `survives` accepts has reached the disk.
  void reboots(const std::function<bool()>& survives);

  // Every site's certificate and key: "old", "new", or "between".
  std::string on_disk() const;
  std::string served() const;
  // True if the directory holds only plain files and no temporary file of ours.
  bool is_tidy() const;
  // The row that was begun last, as stored in the journal.
  TransactionRow last();
  // Everything that is stored, to search for secrets in it: database, events, accounts.
  std::string everything_written();
  // Sets the last row back to `phase`, as a crash would have left it.
  void interrupt(Phase phase);

  std::string certificate_path(size_t site) const { return "/etc/fake/" + sites[site] + ".pem"; }
  std::string key_path(size_t site) const { return "/etc/fake/" + sites[site] + ".key"; }
  uint16_t port(size_t site) const { return static_cast<uint16_t>(kFakePort + site); }

 private:
  std::unique_ptr<State> state_;
  std::unique_ptr<Journal> journal_;
};

}  // namespace certrebind
