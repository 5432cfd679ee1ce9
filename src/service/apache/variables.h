// ${VARIABLES} and the parameters of macros, put into a line so that every byte keeps its place.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/apache/lexer.h"

namespace certrebind::apache {

using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

// Every ${NAME} that `lookup` knows; others stay as they are (ap_resolve_env), and their names are
// added to `unknown`.
Source with_variables(const Source& source, const Lookup& lookup,
                      std::vector<std::string>& unknown);

// The parameters of a macro, replaced from left to right, the longest that fits first (mod_macro).
Source with_parameters(const Source& source, const std::vector<std::string>& parameters,
                       const std::vector<std::string>& values);

}  // namespace certrebind::apache
