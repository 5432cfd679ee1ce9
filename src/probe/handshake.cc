#include "probe/handshake.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/parallel.h"
#include "probe/ask_for_tls.h"
#include "probe/tls.h"

namespace certrebind {

namespace {

// Hung servers use no processor time, so other handshakes run meanwhile.
constexpr size_t kMostThreads = 200;
constexpr milliseconds kStuckAfter{400};

// The server, on the same machine, takes half of the time. More threads than this only wait for
// each other.
size_t default_threads() {
  return std::clamp<size_t>(2 * std::thread::hardware_concurrency(), 2, 16);
}

// The same failure, with this target as its subject.
std::unexpected<Error> about(const Target& target, Error error) {
  return fail(error.code, "shake hands with", target.text(), std::move(error.cause));
}

}  // namespace

std::string Target::text() const {
  std::string text = address.text();
  if (start_tls != StartTls::none) text += fmt::format(" with {} STARTTLS", to_text(start_tls));
  text += sni.empty() ? " without a name" : " for " + sni;
  return key_type == KeyType::other ? text : fmt::format("{} ({})", text, to_text(key_type));
}

bool shows_another_key(const Error& failed_handshake) {
  return failed_handshake.cause == kBadSignature;
}

std::string proxy_header(const Address& address) {
  if (!address.unix_path.empty()) return "PROXY UNKNOWN\r\n";
  bool is_v6 = address.host.find(':') != std::string::npos;
  std::string host = address.host.substr(0, address.host.find('%'));
  // The source port is arbitrary, but the header requires one.
  return fmt::format("PROXY {} {} {} 65535 {}\r\n", is_v6 ? "TCP6" : "TCP4",
                     is_v6 ? "::1" : "127.0.0.1", host, address.port);
}

Prober::Prober(const Network& network, const Clock& clock, milliseconds patience)
    : network_(network), clock_(clock), patience_(patience) {}

Prober::~Prober() = default;

const TlsContexts& Prober::contexts() const {
  std::call_once(made_, [this] { contexts_ = std::make_unique<TlsContexts>(); });
  return *contexts_;
}

Result<std::unique_ptr<Stream>> Prober::open(const Target& target, SteadyTime deadline) const {
  auto stream = network_.connect(target.address, deadline);
  if (stream && target.proxy_protocol)
    if (auto sent = (*stream)->write(proxy_header(target.address), deadline); !sent)
      return pass(sent);
  if (stream && target.start_tls != StartTls::none)
    if (auto agreed = ask_for_tls(**stream, target.start_tls, target.sni, deadline); !agreed)
      return pass(agreed);
  return stream;
}

bool Prober::is_silent(const Address& address) const {
  std::lock_guard lock(silent_lock_);
  auto known = silent_until_.find(address);
  return known != silent_until_.end() && clock_.steady() < known->second;
}

void Prober::note_answer(const Address& address, const Result<Served>& served) const {
  std::lock_guard lock(silent_lock_);
  if (served || served.error().code != Code::timed_out) {
    silent_until_.erase(address);
  } else {
    silent_until_[address] = clock_.steady() + patience_;
  }
}

Result<Served> Prober::handshake(const Target& target) const {
  if (is_silent(target.address))
    return about(target, {Code::timed_out, "", "",
                          "nothing answered there a moment ago, so it was not waited for", ""});
  auto served = ask(target, clock_.steady() + patience_);
  note_answer(target.address, served);
  return served;
}

Result<Served> Prober::ask(const Target& target, SteadyTime deadline) const {
  auto stream = open(target, deadline);
  if (!stream) return about(target, stream.error());
  auto served =
      complete_handshake(contexts().for_key(target.key_type), **stream, target.sni, deadline);
  if (!served) return about(target, served.error());
  return served;
}

std::vector<Result<Served>> Prober::handshake_all(std::span<const Target> targets, size_t threads,
                                                  const Progress& progress) const {
  std::vector<Result<Served>> results(targets.size());
  std::mutex reporting;
  size_t done = 0;
  threads = threads == 0 ? default_threads() : threads;
  for_each_waiting(targets.size(), threads, kMostThreads, kStuckAfter, [&](size_t index) {
    results[index] = handshake(targets[index]);
    if (!progress) return;
    std::lock_guard lock(reporting);
    progress(++done);
  });
  return results;
}

}  // namespace certrebind
