// Runs the renewer of a certificate, and checks whether it renewed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"
#include "store/renewers.h"
#include "sys/host.h"
#include "x509/certificate.h"

namespace certrebind {

// The result of a renewal. It depends only on the certificate that is at the path afterwards, not
// on the exit status.
struct Renewal {
  Command command;
  CommandOutput ran;
  std::optional<CertificateOutline> before;  // unset: there was no certificate
  std::optional<CertificateOutline> after;
  bool is_new = false;  // the certificate at the path has changed
  bool undue = false;   // the renewer's exit status says that nothing was due
};

// Runs the renewer's own command; with `now`, the one that renews before the due time, if there is
// one. Holds no lock meanwhile, because the renewer's hook may call certrebind. Fails only if the
// command cannot be run, or does not end within half an hour.
Result<Renewal> run_renewer(Host& host, const Lineage& lineage, bool now);

// The command that run_renewer would run.
Command renewal_command(const Lineage& lineage, bool now);

// One sentence: the certificate that is now at the path.
std::string outcome_text(const Lineage& lineage, const Renewal& renewal);

Json to_json(const Lineage& lineage, const Renewal& renewal);

}  // namespace certrebind
