// The state of this host in Prometheus' text format, for the textfile collector of node_exporter.
// https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <string>

#include "acts/check_report.h"

namespace certrebind {

// What the report does not say.
struct Operation {
  bool enabled = false;                           // renewals are rebound automatically
  bool running = false;                           // the daemon runs
  size_t attention = 0;                           // number of things that need a person
  std::vector<TransactionRow> transactions = {};  // oldest first
};

// One line for each sample, with HELP and TYPE. A site is labelled by `service`, `site` and the
// `path` of its certificate; where two bindings have the same labels, the worse one counts.
std::string metrics_text(const CheckReport& report, const Operation& operation, WallTime now);

}  // namespace certrebind
