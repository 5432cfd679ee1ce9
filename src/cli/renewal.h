// Running the renewer of a certificate, and looking whether it renewed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"
#include "store/renewers.h"
#include "sys/host.h"
#include "x509/certificate.h"

namespace certrebind {

// What became of it. No exit status is believed: only what then lies at the certificate's path.
struct Renewal {
  Command command;
  CommandOutput ran;
  std::optional<CertificateOutline> before;  // none: there was no certificate
  std::optional<CertificateOutline> after;
  bool is_new = false;  // another certificate is there than before
  bool undue = false;   // the renewer found nothing to do, and said so with its exit status
};

// The renewer's own command; with `now`, due or not where the renewer can be told so. No lock is
// held meanwhile: the renewer's hook may call certrebind. Fails only if it cannot be run, or does
// not end within half an hour.
Result<Renewal> run_renewer(Host& host, const Lineage& lineage, bool now);

// The command that run_renewer would run.
Command renewal_command(const Lineage& lineage, bool now);

// One sentence: what is there now.
std::string outcome_text(const Lineage& lineage, const Renewal& renewal);

Json to_json(const Lineage& lineage, const Renewal& renewal);

}  // namespace certrebind
