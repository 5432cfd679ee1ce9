// Variables in addresses, which HAProxy expands by rules of their own.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace certrebind::haproxy {

// "$NAME" and "${NAME}", quoted or not; the closing brace may be missing. A variable that is not
// set is empty. There are no defaults ("${NAME-x}").
std::string expand_variables(std::string_view text,
                             const std::map<std::string, std::string>& environment);

}  // namespace certrebind::haproxy
