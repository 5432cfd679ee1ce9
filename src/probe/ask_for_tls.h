// Asks a server for TLS in plain text (STARTTLS), before the handshake.
#pragma once

#include <string>

#include "base/result.h"
#include "base/start_tls.h"
#include "sys/network.h"

namespace certrebind {

// After success the server waits for a ClientHello. `name` is the host that XMPP is asked for; may
// be empty.
//
// The error's cause says how far it came: "the server's temporary refusal: 454 …", "the server does
// not offer STARTTLS: 502 …". Plain text that follows the server's consent is an error too: it may
// come from somebody between us and the server.
Done ask_for_tls(Stream& stream, StartTls dialect, const std::string& name, SteadyTime deadline);

}  // namespace certrebind
