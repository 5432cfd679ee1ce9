// Any bytes as what a server says before TLS, in the dialect that START_TLS names; without it the
// first byte chooses one. What is decided must not depend on how the bytes arrive, and is said in
// printable text.
//
//   scripts/fuzz 60
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "probe/start_tls_progress.h"

namespace {

using namespace certrebind;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using State = StartTlsProgress::State;
  if (size == 0) return 0;
  constexpr size_t kDialects = static_cast<size_t>(StartTls::nntp);
  static const char* const named = std::getenv("START_TLS");
  const auto dialect = named ? start_tls_named(named).value_or(StartTls::none)
                             : static_cast<StartTls>(data[0] % kDialects + 1);
  require(dialect != StartTls::none);
  std::string_view said(reinterpret_cast<const char*>(data), size);
  said.remove_prefix(1);
  const std::string name(said.substr(0, 4));

  std::string sent;
  for (size_t known = 0; known <= said.size(); known += said.size() / 64 + 1) {
    const StartTlsProgress now = start_tls_progress(dialect, name, said.substr(0, known));
    require(now.state != State::waiting || known <= 16 * 1024);
    require((now.state == State::waiting) == !now.awaited.empty());
    require((now.state == State::failed) == !now.cause.empty());
    require(now.cause.size() < 2000 && printable(now.cause) == now.cause);
    if (now.state == State::failed) break;
    require(now.to_send.starts_with(sent));
    sent = now.to_send;
    // Any byte after the consent is an error.
    if (now.state == State::agreed) {
      const std::string more = std::string(said.substr(0, known)) + "x";
      require(start_tls_progress(dialect, name, more).state == State::failed);
      break;
    }
  }
  const std::string words = last_words(said);
  require(words.size() < 2000 && printable(words) == words);
  return 0;
}
