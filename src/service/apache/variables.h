// Expands ${VARIABLES} and macro parameters in a line, and keeps the file position of every byte.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/apache/lexer.h"

namespace certrebind::apache {

using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

// Expands every ${NAME} that `lookup` knows. Others stay as they are (ap_resolve_env), and their
// names are added to `unknown`.
Source with_variables(const Source& source, const Lookup& lookup,
                      std::vector<std::string>& unknown);

// Replaces macro parameters from left to right; the longest match wins (mod_macro).
Source with_parameters(const Source& source, const std::vector<std::string>& parameters,
                       const std::vector<std::string>& values);

}  // namespace certrebind::apache
