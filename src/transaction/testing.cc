#include "transaction/testing.h"

#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "x509/bundle.h"
#include "x509/key.h"

namespace certrebind {

namespace {

void require(bool done, const std::string& what) {
  if (done) return;
  std::fprintf(stderr, "transaction/testing: cannot %s\n", what.c_str());
  std::abort();
}

// The old and new certificates of each site, made once in a process: otherwise a thousand hosts
// would need a thousand keys.
struct Issued {
  TestAuthority authority{"Test Root"};
  TestAuthority issuer{authority.intermediate("Test Intermediate")};
  std::map<std::string, std::pair<TestCertificate, TestCertificate>> pairs;

  const std::pair<TestCertificate, TestCertificate>& of(const std::string& site) {
    auto [entry, is_new] = pairs.try_emplace(site);
    if (is_new) entry->second = {issuer.issue({.names = {site}}), issuer.issue({.names = {site}})};
    return entry->second;
  }
};
Issued& issued() {
  static Issued all;
  return all;
}

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  for (std::string& word : split(line, ' '))
    if (!word.empty()) words.push_back(std::move(word));
  return words;
}

Span span_of(const std::string& file, const std::string& text, size_t line_begin, int line,
             const std::string& word) {
  size_t begin = text.find(word, line_begin);
  return {.file = file,
          .begin = begin,
          .end = begin + word.size(),
          .line = line,
          .column = static_cast<int>(begin - line_begin) + 1};
}

Binding binding_of(const std::string& file, const std::string& text, size_t line_begin, int line,
                   const std::vector<std::string>& words) {
  Binding binding;
  binding.site = words[1];
  binding.names = {words[1]};
  binding.endpoints = {{.address = {.host = "127.0.0.1",
                                    .port = static_cast<uint16_t>(std::stoi(words[2])),
                                    .unix_path = {}},
                        .listens = "*:" + words[2],
                        .proxy_protocol = false,
                        .probe_names = {words[1]},
                        .without_sni = false,
                        .unproven = {}}};
  binding.certificate = {words[3], span_of(file, text, line_begin, line, words[3]), words[3]};
  binding.key = {words[4], span_of(file, text, line_begin, line, words[4]), words[4]};
  if (words[3] == words[4]) {
    binding.key.where.begin = text.find(words[4], binding.certificate.where.end);
    binding.key.where.end = binding.key.where.begin + words[4].size();
  }
  return binding;
}

}  // namespace

Reload reload_of_fake() {
  SignalReload hup;
  hup.signal = 1;
  hup.name = "HUP";
  hup.pid = 100;
  hup.started = 7;
  Reload reload;
  reload.signal = hup;
  return reload;
}

Result<Discovery> FakeService::bindings() const {
  auto text = files_.read(id_.path, kConfigLimit);
  if (!text) return pass(text);
  Discovery found;
  found.configured_by = {id_.path};
  found.listens = wants;
  size_t begin = 0;
  int number = 0;
  for (const std::string& line : split(*text, '\n')) {
    std::vector<std::string> words = words_of(line);
    ++number;
    if (words.size() == 5 && words[0] == "site")
      found.bindings.push_back(binding_of(id_.path, *text, begin, number, words));
    begin += line.size() + 1;
  }
  if (adorn)
    for (Binding& binding : found.bindings) adorn(binding);
  return found;
}

Result<std::vector<FileEdit>> FakeService::repoint(const Binding& binding,
                                                   const CertificateFiles& files) const {
  return std::vector<FileEdit>{
      {binding.certificate.where, binding.certificate.written, files.certificate},
      {binding.key.where, binding.key.written, files.key}};
}

FakeWirePtr take_wire() {
  static std::vector<std::unique_ptr<FakeWire>> unused;
  auto put_back = [](FakeWire* wire) {
    wire->network.table.clear();
    wire->network.on_connect = {};
    wire->network.connections = 0;
    unused.emplace_back(wire);
  };
  if (unused.empty()) return {new FakeWire, put_back};
  FakeWirePtr wire(unused.back().release(), put_back);
  unused.pop_back();
  return wire;
}

TemporaryDirectory::TemporaryDirectory() {
  // Use memory if possible: a test of a thousand crashes must not wait for a disk.
  std::string pattern =
      std::filesystem::exists("/dev/shm") ? "/dev/shm/certrebind-XXXXXX" : "/tmp/certrebind-XXXXXX";
  require(::mkdtemp(pattern.data()) != nullptr, "make a directory");
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

WallTime test_now() {
  return std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
}

FakeHost::FakeHost(std::vector<std::string> names)
    : authority(issued().authority), issuer(issued().issuer), sites(std::move(names)) {
  std::string config = "# the sites\n";
  for (size_t i = 0; i < sites.size(); ++i) {
    const auto& [old_one, new_one] = issued().of(sites[i]);
    old_ones.push_back(old_one);
    new_ones.push_back(new_one);
    files.put(certificate_path(i), old_ones[i].chain_pem);
    files.put(key_path(i), old_ones[i].key_pem, 0600);
    config += "site " + sites[i] + " " + std::to_string(port(i)) + " " + certificate_path(i) + " " +
              key_path(i) + "\n";
  }
  files.put(kFakeConfig, config);
  Process master;
  master.pid = 100;
  master.parent = 1;
  master.executable = "/usr/sbin/fake-server";
  master.started = 7;
  processes.processes = {master};
  processes.on_signal = [this](int, int) { server_reads(); };
  settings.state_directory = directory.path() + "/state";
  settings.run_directory = directory.path() + "/run";
  settings.verify_at_least = milliseconds(500);  // a fake answers at once
  Disk disk;
  auto opened = State::open_for_writing(disk, settings, milliseconds(1000));
  require(opened.has_value(), "open the state");
  state_ = std::make_unique<State>(std::move(*opened));
  files.put(parent_directory(state_->before_directory(1, "")) + "/.keep", "");
  journal_ = std::make_unique<Journal>(state_->database(), clock);
  server_reads();
}

TransactionContext FakeHost::context(Files& instead) {
  return {.host = {instead, processes, commands, network, clock},
          .settings = settings,
          .state = *state_,
          .journal = *journal_,
          .prober = prober,
          .watcher = watcher};
}

TransactionRequest FakeHost::work() const {
  TransactionRequest work;
  work.service = &service;
  for (size_t i = 0; i < sites.size(); ++i) {
    const TestCertificate &old_one = old_ones[i], &new_one = new_ones[i];
    work.files.push_back({.path = certificate_path(i),
                          .staging = "/etc/fake",
                          .before = old_one.chain_pem,
                          .after = new_one.chain_pem,
                          .secret = true,
                          .what = "certificate"});
    work.files.push_back({.path = key_path(i),
                          .staging = "/etc/fake",
                          .before = old_one.key_pem,
                          .after = new_one.key_pem,
                          .secret = true,
                          .what = "private key"});
    work.successions.push_back({old_one.thumbprint.hex(), new_one.thumbprint.hex(), {sites[i]}});
    work.expectations.push_back({.address = {.host = "127.0.0.1", .port = port(i), .unix_path = {}},
                                 .proxy_protocol = false,
                                 .sni = sites[i],
                                 .site = sites[i],
                                 .old_thumbprint = old_one.thumbprint,
                                 .new_thumbprint = new_one.thumbprint,
                                 .old_type = KeyType::ecdsa,
                                 .new_type = KeyType::ecdsa});
  }
  return work;
}

Survey FakeHost::survey() const {
  Survey made;
  auto like = std::make_unique<FakeService>(files, kFakeConfig);
  like->adorn = service.adorn;
  like->how = service.how;
  like->reader = service.reader;
  auto found = like->bindings();
  made.surveyed.push_back({like.get(), {kFakeConfig}, {}, {}});
  for (Binding& binding : found->bindings) {
    auto disk = std::make_shared<OnDisk>(look_at(files, binding.certificate.path));
    made.bindings.push_back({like.get(), std::move(binding), disk});
  }
  made.services.found.push_back(std::move(like));
  return made;
}

void FakeHost::worker_started(int64_t at_ms) {
  Process worker;
  worker.pid = 101;
  worker.parent = 100;
  worker.started = static_cast<uint64_t>(at_ms);
  worker.arguments = {"worker process"};
  processes.processes.push_back(worker);
}

int64_t FakeHost::changed_ms(const std::string& path) const {
  return files.lstat(path)->changed_ns / 1'000'000;
}

void FakeHost::server_reads() {
  auto found = FakeService(files, kFakeConfig).bindings();
  if (!found) return;
  auto loaded = network.table;
  loaded.clear();
  for (const Binding& binding : found->bindings) {
    auto certificates = files.read(binding.certificate.path, kPemLimit);
    auto key = files.read(binding.key.path, kPemLimit);
    auto bundle = certificates ? Bundle::parse(*certificates) : Result<Bundle>(pass(certificates));
    if (!key || !bundle || key_state(*key, bundle->leaf) != KeyState::matches) return;
    loaded[{binding.endpoints[0].address.port, binding.site}] = {{*certificates, *key}};
  }
  network.table = std::move(loaded);
}

void FakeHost::reboots(const std::function<bool()>& survives) {
  files.crash(survives);
  network.table.clear();
  server_reads();
}

std::string FakeHost::on_disk() const {
  size_t old_count = 0, new_count = 0;
  for (size_t i = 0; i < sites.size(); ++i) {
    auto certificate = files.read(certificate_path(i), kPemLimit);
    auto key = files.read(key_path(i), kPemLimit);
    if (!certificate || !key) return "between: a file is missing";
    old_count += *certificate == old_ones[i].chain_pem && *key == old_ones[i].key_pem;
    new_count += *certificate == new_ones[i].chain_pem && *key == new_ones[i].key_pem;
  }
  if (old_count == sites.size()) return "old";
  return new_count == sites.size() ? "new" : "between";
}

std::string FakeHost::served() const {
  size_t old_count = 0, new_count = 0;
  for (size_t i = 0; i < sites.size(); ++i) {
    auto shown =
        prober.handshake({.address = {.host = "127.0.0.1", .port = port(i), .unix_path = {}},
                          .proxy_protocol = false,
                          .sni = sites[i],
                          .key_type = KeyType::other});
    if (!shown) return "nothing: " + shown.error().cause;
    old_count += shown->thumbprint == old_ones[i].thumbprint;
    new_count += shown->thumbprint == new_ones[i].thumbprint;
  }
  if (old_count == sites.size()) return "old";
  return new_count == sites.size() ? "new" : "between";
}

bool FakeHost::is_tidy() const {
  auto names = files.list("/etc/fake");
  if (!names) return false;
  for (const std::string& name : *names) {
    auto info = files.lstat("/etc/fake/" + name);
    if (name.starts_with(".certrebind-") || !info || info->kind != FileKind::regular) return false;
  }
  return true;
}

TransactionRow FakeHost::last() {
  auto rows = journal_->all();
  require(rows && !rows->empty(), "find the last transaction");
  return journal_->find(rows->back().id).value();
}

std::string FakeHost::everything_written() {
  std::string all;
  Disk disk;
  for (const char* name : {"/state.db", "/state.db-wal"})
    all += disk.read(settings.state_directory + name, kConfigLimit).value_or("");
  auto rows = journal_->all();
  require(rows.has_value(), "list the transactions");
  for (const TransactionRow& row : *rows) all += row.account;
  auto events = events_after(state_->database(), 0);
  require(events.has_value(), "list the events");
  for (const Event& event : *events) all += event.message;
  for (const Command& command : commands.ran) all += command.text();
  return all;
}

void FakeHost::interrupt(Phase phase) {
  state_->database().handle().exec("UPDATE transactions SET phase = '" + to_text(phase) +
                                   "', outcome = NULL, ended_ms = NULL, owed = 0, account = '' "
                                   "WHERE id = (SELECT max(id) FROM transactions)");
}

}  // namespace certrebind
