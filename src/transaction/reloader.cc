#include "transaction/reloader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "store/on_disk.h"
#include "survey/policy.h"
#include "sys/changed_at.h"
#include "transaction/candidate_check.h"
#include "transaction/systemd_unit.h"
#include "x509/mention.h"

namespace certrebind {

namespace {

// How long a conversation over the control socket may take. A socket that accepts a connection need
// not answer: its server may hang, or all of its connections may be taken.
struct Patience {
  milliseconds answer;  // for one request
  milliseconds whole;
};
constexpr Patience kForQuestions{std::chrono::seconds(5), std::chrono::seconds(15)};
// A server that applies a change in ten thousand places takes seconds, and there may be ten
// thousand changes.
constexpr Patience kForChanges{std::chrono::seconds(15), std::chrono::hours(1)};
// The server of an ordinary user may answer as slowly as that user likes.
constexpr Patience kForChangesOfOthers{std::chrono::seconds(15), std::chrono::seconds(60)};
// A real answer has a few lines, but a foreign process on the socket may send anything.
constexpr size_t kLongestAnswer = 1u << 20;
// A main process that is starting, or restarting itself after an earlier signal, loads everything
// first.
constexpr milliseconds kHandlerDeadline = std::chrono::seconds(60);
constexpr milliseconds kHandlerPoll{20};
// A renewer writes its two files within moments of each other.
constexpr milliseconds kPairDeadline = std::chrono::seconds(5);

// Keys are sent over the socket, so the peer must be the server: its user must be known, and must
// be root or the server's owner. The server of an ordinary user may receive these keys, because
// they were read with that user's rights.
Done trusted(const Stream& stream, const Address& address, const Service& service) {
  const Trust& trust = service.trust();
  auto peer = stream.peer_user();
  if (!peer)
    return fail(Code::denied, "trust", address.text(),
                "certrebind cannot find out which user listens there");
  const bool is_roots = trust.is_ours() && *peer == 0;
  if (is_roots || *peer == trust.owner) return {};
  return fail(Code::denied, "trust", address.text(),
              fmt::format("user {} listens there, who is not the server's user", *peer));
}

Result<std::string> exchange(const Host& host, const Address& address, const std::string& request,
                             const Service& service, SteadyTime deadline) {
  auto stream = host.network.connect(address, deadline);
  if (!stream) return pass(stream);
  if (Done owned = trusted(**stream, address, service); !owned) return pass(owned);
  if (Done sent = (*stream)->write(request, deadline); !sent) return pass(sent);
  std::string answer;
  while (answer.size() < kLongestAnswer) {
    auto bytes = (*stream)->read(deadline);
    if (!bytes) return pass(bytes);
    if (bytes->empty()) break;
    answer += *bytes;
  }
  return answer;
}

Done converse(const Host& host, const Address& address, SocketConversation& dialogue,
              const Service& service, const Patience& patience) {
  const SteadyTime end = host.clock.steady() + patience.whole;
  while (auto request = dialogue.request()) {
    const SteadyTime deadline = std::min(end, host.clock.steady() + patience.answer);
    auto answer = exchange(host, address, *request, service, deadline);
    if (!answer) return pass(answer);
    dialogue.hear(*answer);
  }
  return dialogue.outcome();
}

}  // namespace

std::optional<SignalReload> Reloader::target() const {
  if (service_ == nullptr) return std::nullopt;
  if (restarted_) return restarted_;
  return service_->reload().signal;
}

bool Reloader::master_is_gone() const {
  auto master = target();
  if (!master) return true;
  auto process = host_.processes.find(master->pid);
  return !process || process->started != master->started;
}

// If we may not inspect a process, it counts as still taking connections.
bool Reloader::takes_connections(const Process& worker) const {
  auto master = target();
  if (!master) return false;
  if (master->workers_listen == Listening::unknown)
    return !worker.arguments.empty() && worker.arguments.front() == master->workers;
  bool of_master = master->workers_listen == Listening::of_master;
  if (of_master && (!listeners_ || !listeners_->of_master)) return true;
  auto held = of_master ? host_.processes.sockets(worker.pid)
                        : host_.processes.listening_sockets(worker.pid);
  if (!held) return held.error().code != Code::not_found;
  if (!of_master) {
    auto program = host_.processes.find(master->pid);
    return !held->empty() && program && worker.executable == program->executable;
  }
  return std::ranges::any_of(*held, [&](uint64_t socket) {
    return std::ranges::find(*listeners_->of_master, socket) != listeners_->of_master->end();
  });
}

std::vector<Process> Reloader::workers() {
  auto master = target();
  if (!master || (master->workers.empty() && master->workers_listen == Listening::unknown))
    return {};
  std::vector<Process> workers = listeners(*master).children;
  if (!listeners_->of_master && master->workers_listen == Listening::of_master)
    listeners_->of_master =
        host_.processes.listening_sockets(master->pid).value_or(std::vector<uint64_t>());
  std::erase_if(workers, [&](const Process& child) { return !takes_connections(child); });
  return workers;
}

const Reloader::Listeners& Reloader::listeners(const SignalReload& master) {
  auto identity = [](const Process& process) { return std::pair(process.pid, process.started); };
  auto children = host_.processes.children(master.pid).value_or(std::vector<Process>());
  if (listeners_ && !children.empty() &&
      std::ranges::equal(listeners_->children, children, {}, identity, identity))
    return *listeners_;
  std::vector<int> pids = {master.pid};
  for (const Process& child : children) pids.push_back(child.pid);
  listeners_ = {.children = std::move(children), .ports = host_.processes.listening_ports(pids)};
  return *listeners_;
}

std::optional<WallTime> Reloader::serving_since() {
  std::optional<WallTime> oldest;
  const auto master = target();
  if (master && master->workers.empty() && master->workers_listen == Listening::unknown)
    if (auto process = host_.processes.find(master->pid);
        process && process->started == master->started)
      return host_.processes.started_at(*process);
  for (const Process& worker : workers()) {
    WallTime started = host_.processes.started_at(worker);
    if (!oldest || started < *oldest) oldest = started;
  }
  return oldest;
}

Done Reloader::ask() const {
  if (auto master = host_.processes.find(target()->pid); !master) return pass(master);
  return converse(host_, live_->address(), *live_->question(), *service_, kForQuestions);
}

// After a silence nothing more is sent there: who restores the old files would only wait again.
Done Reloader::send(SocketConversation& dialogue) {
  if (auto master = host_.processes.find(target()->pid); !master) return pass(master);
  if (silent_)
    return fail(Code::timed_out, "tell", live_->address().text(), "it did not answer before");
  Done sent = converse(host_, live_->address(), dialogue, *service_,
                       service_->trust().is_ours() ? kForChanges : kForChangesOfOthers);
  silent_ = !sent && sent.error().code == Code::timed_out;
  return sent;
}

Result<std::vector<std::string>> Reloader::unseen() const {
  auto asked = target();
  auto view = asked && service_->trust().is_ours() ? service_->reload().view : nullptr;
  auto dialogue = view ? view() : nullptr;
  if (!dialogue) return std::vector<std::string>();
  if (Done told = converse(host_, dialogue->address(), *dialogue, *service_, kForQuestions); !told)
    return pass(told);
  return dialogue->unseen();
}

Result<std::vector<std::string>> Reloader::not_loaded(const std::vector<std::string>& files) const {
  constexpr milliseconds kAnswer = std::chrono::seconds(20);
  std::vector<std::string> missing;
  const auto question = target() ? service_->reload().loaded : std::nullopt;
  if (!question) return missing;
  if (Done trusted = must_be_trusted(); !trusted) return pass(trusted);
  auto answer = host_.commands.run(*question, kAnswer);
  if (!answer) return pass(answer);
  if (answer->status != 0)
    return fail(Code::failed, "ask", service_->id().text(),
                fmt::format("{} exited with {}:{}", question->text(), answer->status,
                            excerpt(answer->output)));
  for (const std::string& path : files) {
    const OnDisk lies = look_at(service_->files(), path);
    if (lies.certificate && !names_certificate(answer->output, lies.der)) missing.push_back(path);
  }
  return missing;
}

// A server's test binds no addresses. If a reload finds an address taken, the result is worse than
// a refusal: some servers exit, others take no connections for seconds (docs/services.md). A port
// that the server already listens on is its own.
Done Reloader::can_listen() {
  auto master = target();
  if (!master) return {};
  const Result<std::set<uint16_t>>& own = listeners(*master).ports;
  if (!own) return {};
  for (const ListenAddress& wanted : preview_.listens()) {
    if (own->contains(wanted.address.port)) continue;
    Done free = host_.network.try_listen(wanted.address, wanted.shared);
    if (free) continue;
    Error error = free.error();
    return fail(error.code, "reload", service_->id().text(),
                fmt::format("the configuration listens on {} ({}), but {}", wanted.address.text(),
                            wanted.where, error.cause),
                "free that address, or remove it from the configuration");
  }
  return {};
}

void Reloader::get_ready() {
  workers();
  preview_.listens();
}

Done Reloader::must_be_trusted() const {
  const std::string& doubt = service_->trust().doubt;
  if (doubt.empty()) return {};
  return fail(Code::denied, "run or signal", service_->id().text(), doubt,
              "let only root change that (chown root, chmod go-w)");
}

Done Reloader::choose(const std::vector<std::string>& files, const std::vector<std::string>& read) {
  if (service_ == nullptr) return {};
  if (Done trusted = must_be_trusted(); !trusted) return trusted;
  if (!is_running()) return {};
  Reload how = service_->reload();
  live_ = how.live ? how.live(files) : nullptr;
  if (live_) {
    Done asked = ask();
    if (asked || asked.error().code == Code::busy) return asked;
    live_.reset();
    if (how.restart_only.empty()) return can_listen();
    Error error = asked.error();
    error.hint = how.restart_only;
    return fail(std::move(error));
  }
  if (how.restart_only.empty()) return can_listen();
  return choose_restart(how, read);
}

Done Reloader::choose_restart(const Reload& how, const std::vector<std::string>& read) {
  auto refused = [&](std::string why, std::string next) {
    return fail(Code::unsupported, "load new files into", service_->id().text(),
                how.restart_only + "; " + std::move(why), std::move(next));
  };
  if (!no_restart_.empty()) return refused(no_restart_, kRestartIt);
  const auto master = target();
  auto process = host_.processes.find(master->pid);
  if (!process) return pass(process);
  const WallTime since = host_.processes.started_at(*process);
  const bool is_older = std::ranges::any_of(read, [&](const std::string& path) {
    auto changed = changed_at(host_.files, path);
    return !changed || *changed > since;
  });
  if (!read.empty() && !is_older)
    return refused(fmt::format("process {} was started after its files changed, so a restart would "
                               "bring nothing new",
                               master->pid),
                   "certrebind check");
  auto unit = unit_of(host_.commands, master->pid);
  if (!unit)
    return refused("certrebind cannot restart it: " + unit.error().message(),
                   "restart it yourself");
  unit_ = std::move(*unit);
  return can_listen();
}

Done Reloader::tell(bool resumed) {
  if (!live_) return reload();
  auto dialogue = live_->update(resumed);
  if (dialogue) return send(**dialogue);
  live_.reset();
  if (!no_reload_.empty())
    return fail(dialogue.error().code, "tell", service_->id().text(),
                dialogue.error().message() + "; a reload is not possible: " + no_reload_);
  if (service_->reload().restart_only.empty()) return reload();
  return pass(dialogue);
}

Done Reloader::await_handler(const SignalReload& master) const {
  SteadyTime deadline = host_.clock.steady() + kHandlerDeadline;
  while (!master_is_gone()) {
    auto ready = host_.processes.catches(master.pid, master.signal, master.may_be_blocked);
    if (ready && *ready) return {};
    if (host_.clock.steady() >= deadline)
      return fail(Code::timed_out, "reload", service_->id().text(),
                  fmt::format("process {} does not handle {} now", master.pid, master.name));
    host_.clock.sleep(kHandlerPoll);
  }
  return fail(Code::not_found, "reload", service_->id().text(), "it is not running");
}

// The last step before the signal. A renewer may be between its two writes just now, and some
// servers exit on such a pair. So wait until it has written the other file.
Done Reloader::await_whole_pairs() {
  SteadyTime deadline = host_.clock.steady() + kPairDeadline;
  while (true) {
    std::string why = preview_.why_not();
    if (why.empty()) return {};
    if (host_.clock.steady() >= deadline)
      return fail(Code::failed, "reload", service_->id().text(), why,
                  "repair that certificate and key; the server was not reloaded");
    host_.clock.sleep(kHandlerPoll);
  }
}

// A command that succeeds proves nothing; one that fails is told at once.
Done Reloader::run_commands(const Reload& how) {
  if (!how.commands) return {};  // the server reads its files for each connection
  partly_told_ = how.commands->commands.size() > 1;
  for (const Command& command : how.commands->commands) {
    auto ran = host_.commands.run(command, how.commands->deadline);
    if (!ran) return pass(ran);
    if (ran->status != 0)
      return fail(
          Code::failed, "reload", service_->id().text(),
          fmt::format("{} exited with {}:{}", command.text(), ran->status, excerpt(ran->output)));
  }
  partly_told_ = false;
  return {};
}

// The server may listen in a network of its own.
Done Reloader::say(const SocketReload& how, const SignalReload& master) {
  Address address = how.address;
  auto process = host_.processes.find(master.pid);
  if (!process) return pass(process);
  if (process->has_own_network && address.unix_path.empty()) address.network_of = master.pid;
  auto answer = exchange(host_, address, how.say, *service_, host_.clock.steady() + how.deadline);
  partly_told_ = answer || answer.error().code == Code::timed_out;
  if (!answer) return pass(answer);
  std::erase(*answer, '\r');
  if (!fits(how.answer, trim(*answer)))
    return fail(Code::failed, "reload", service_->id().text(),
                fmt::format("{} answered:{}", address.text(), excerpt(*answer)));
  partly_told_ = false;
  return {};
}

Done Reloader::reload() {
  if (!unit_.empty()) return restart();
  auto master = target();
  if (!master) return fail(Code::not_found, "reload", "the server", "it is not running");
  std::string why = service_->reload().restart_only;
  if (!why.empty()) return fail(Code::unsupported, "reload", service_->id().text(), why);
  if (Done trusted = must_be_trusted(); !trusted) return trusted;
  live_.reset();
  if (before_reload_) before_reload_();
  if (Done free = can_listen(); !free) return free;
  if (master->signal != 0)
    if (Done ready = await_handler(*master); !ready) return ready;
  if (Done whole = await_whole_pairs(); !whole) return whole;
  old_workers_ = workers();
  const Reload how = service_->reload();
  if (how.socket) return say(*how.socket, *master);
  if (master->signal == 0) return run_commands(how);
  return host_.processes.signal(master->pid, master->started, master->signal);
}

Done Reloader::resume_restart(const std::string& unit) {
  unit_ = unit;
  return find_restarted();
}

Done Reloader::find_restarted() {
  restarted_.reset();
  auto pid = main_process_of(host_.commands, unit_);
  if (!pid) return pass(pid);
  auto process = host_.processes.find(*pid);
  if (!process) return {};
  restarted_.emplace();
  restarted_->pid = process->pid;
  restarted_->started = process->started;
  return {};
}

// A unit that fails to start, or whose new process ends at once, may be down by now.
Done Reloader::restart() {
  if (Done trusted = must_be_trusted(); !trusted) return trusted;
  if (before_reload_) before_reload_();
  if (Done whole = await_whole_pairs(); !whole) return whole;
  partly_told_ = true;
  if (Done restarted = restart_unit(host_.commands, unit_); !restarted) return restarted;
  if (Done found = find_restarted(); !found) return found;
  if (!restarted_)
    return fail(Code::failed, "restart", unit_, "its main process ended at once",
                "journalctl -u " + unit_);
  partly_told_ = false;
  return {};
}

// Looks up each process by itself: reading a list of children is not atomic, and could miss a
// process during a fork.
bool Reloader::old_workers_remain() const {
  return std::ranges::any_of(old_workers_, [&](const Process& old_worker) {
    auto now = host_.processes.find(old_worker.pid);
    return now && now->started == old_worker.started && takes_connections(*now);
  });
}

}  // namespace certrebind
