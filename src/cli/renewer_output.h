// How the renewer of a certificate is rendered, in tables, in `show` and as JSON.
#pragma once

#include <optional>
#include <string>

#include "cli/output.h"
#include "store/renewers.h"

namespace certrebind {

// "certbot", "certbot, but nothing runs it", "nobody".
std::string renewer_text(const std::optional<Lineage>& lineage);

// "2026-12-22", "now", "never", "unknown"; "-" where nobody renews it.
std::string due_text(const std::optional<Lineage>& lineage, WallTime now);

// The lines of `show` below a path.
void print_renewer(const std::optional<Lineage>& lineage, WallTime now);

// null where nobody renews it.
Json to_json(const std::optional<Lineage>& lineage);

}  // namespace certrebind
