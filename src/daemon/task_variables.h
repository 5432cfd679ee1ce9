// $(NAME) in a task's command and environment. There is no shell: a value is one argument, or part
// of one, whatever it contains.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace certrebind {

// "$(OldCertHash)" and so on, as written in tasks.
std::vector<std::string> variable_names();

// The first $(…) in `text` that is not a variable, or has no end; unset if there is none.
std::optional<std::string> unknown_variable(const std::string& text);

// Replaces every $(NAME) by the result of `value_of` for NAME. Values are not expanded again.
std::string substitute(const std::string& text,
                       const std::function<std::string(const std::string&)>& value_of);

}  // namespace certrebind
