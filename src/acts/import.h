// Brings a certificate with its key into certrebind's own store (store/own.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/preflight.h"
#include "store/own.h"
#include "survey/survey.h"
#include "transaction/transaction.h"

namespace certrebind {

struct ImportRequest {
  Credentials credentials;
  OwnCertificate own;                       // where it goes
  CertificateFiles from;                    // where it comes from, for messages
  std::string command;                      // as it was typed, for the hint at --accept
  KeyState key = KeyState::matches;         // tried before the lock: a hostile key is slow
  std::vector<std::string> requested = {};  // the names of the open request that it completes
  Risks accepted = {};
};

// A bound certificate that the imported one succeeds, and the sites that use it.
struct Succeeded {
  Thumbprint old_one;
  std::vector<std::string> sites;
  // Every site reads the files of this name, and no policy holds it back: the automatic rebind
  // takes it up. A certificate elsewhere is only offered.
  bool automatic = true;
};

struct ImportResult {
  std::vector<Finding> findings;       // if they refuse, nothing was changed
  bool is_new = false;                 // else the store has exactly this already
  std::optional<Thumbprint> replaced;  // what the name stood for before, if it was another one
  std::vector<Succeeded> succeeded;
  std::optional<Error> unfinished;  // the generation is current, and this failed after it
};

// Checks, writes the generation, logs the events (1006, 1008, 1001, 1005; 1009 for a key of another
// certificate), and looks which sites use a certificate that it succeeds: one of the same names, or
// an earlier generation, on disk or in a handshake. What a crash has left undone is done again.
// `only`: the servers that are looked at; empty: all.
Result<ImportResult> import_certificate(const TransactionContext& context,
                                        const std::vector<ServiceId>& only,
                                        const ImportRequest& request);

}  // namespace certrebind
