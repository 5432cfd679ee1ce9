// What a client does before TLS, in each STARTTLS dialect. Pure: no I/O.
#pragma once

#include <string>
#include <string_view>

#include "base/start_tls.h"

namespace certrebind {

struct StartTlsProgress {
  enum class State { waiting, agreed, failed };
  State state = State::waiting;
  std::string to_send;  // all that is sent, from the beginning
  std::string cause;    // of the failure
  std::string_view awaited;
};

// Everything that the server has said so far determines what we do. `name` is the host that XMPP is
// asked for; may be empty.
StartTlsProgress start_tls_progress(StartTls dialect, const std::string& name,
                                    std::string_view said);

// Quotes the last line in an error's cause: "; its last words: \"…\"". Empty if there is none.
std::string last_words(std::string_view said);

}  // namespace certrebind
