// YAML, as far as configurations use it: block and flow collections, plain and quoted scalars,
// block scalars. Anchors, aliases, tags and further documents are not followed; each becomes a
// diagnostic with its line.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "service/service.h"

namespace certrebind::described {

// All scalars become strings. `file`: for the diagnostics.
nlohmann::json read_yaml(const std::string& text, const std::string& file,
                         std::vector<Diagnostic>& diagnostics);

}  // namespace certrebind::described
