// YAML 1.1, as libyaml reads it. An alias is not followed: it could stand for something that grows
// without end. What is not read becomes a diagnostic with its line.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "service/diagnostic.h"

namespace certrebind::described {

// The first document. All scalars become strings, and a null an empty one. After a mistake, what
// was read before it. `file`: for the diagnostics.
nlohmann::json read_yaml(const std::string& text, const std::string& file,
                         std::vector<Diagnostic>& diagnostics);

}  // namespace certrebind::described
