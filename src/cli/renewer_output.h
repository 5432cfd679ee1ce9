// Renders the renewer of a certificate in tables, in `show` and as JSON.
#pragma once

#include <optional>
#include <string>

#include "cli/output.h"
#include "store/renewers.h"

namespace certrebind {

// "certbot", "certbot, but nothing runs it", "nobody".
// `store`: the kind of the store that holds the certificate, if that is known.
std::string renewer_text(const std::optional<Lineage>& lineage, const std::string& store = {});

// "2026-12-22", "now", "never", "unknown"; "-" without a renewer.
std::string due_text(const std::optional<Lineage>& lineage, WallTime now);

// The lines of `show` below a path.
void print_renewer(const std::optional<Lineage>& lineage, WallTime now,
                   const std::string& store = {});

// null without a renewer.
Json to_json(const std::optional<Lineage>& lineage);

}  // namespace certrebind
