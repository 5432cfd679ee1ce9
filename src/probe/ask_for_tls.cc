#include "probe/ask_for_tls.h"

#include <fmt/format.h>

#include "probe/start_tls_progress.h"

namespace certrebind {

namespace {

std::unexpected<Error> no_tls(Code code, std::string cause) {
  return fail(code, "ask for", "TLS", std::move(cause));
}

}  // namespace

Done ask_for_tls(Stream& stream, StartTls dialect, const std::string& name, SteadyTime deadline) {
  std::string said;  // by the server
  size_t sent = 0;
  for (;;) {
    const StartTlsProgress now = start_tls_progress(dialect, name, said);
    if (now.state == StartTlsProgress::State::failed) return no_tls(Code::failed, now.cause);
    if (sent < now.to_send.size()) {
      auto written = stream.write(std::string_view(now.to_send).substr(sent), deadline);
      if (!written) return written;
      sent = now.to_send.size();
    }
    if (now.state == StartTlsProgress::State::agreed) return {};
    auto bytes = stream.read(deadline);
    if (!bytes)
      return no_tls(bytes.error().code,
                    fmt::format("{} ({}){}", bytes.error().cause, now.awaited, last_words(said)));
    if (bytes->empty())
      return no_tls(Code::failed, fmt::format("the server closed the connection before {}{}",
                                              now.awaited, last_words(said)));
    said += *bytes;
  }
}

}  // namespace certrebind
