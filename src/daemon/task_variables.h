// $(NAME) in a task's command and environment. There is no shell: a value is one argument, or part
// of one, whatever it holds.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace certrebind {

// "$(OldCertHash)" and so on, as they are written.
std::vector<std::string> variable_names();

// The first $(…) in `text` that is no variable, or has no end; none if all is well.
std::optional<std::string> unknown_variable(const std::string& text);

// Every $(NAME) becomes what `value_of` gives for NAME. Values are not looked into again.
std::string substitute(const std::string& text,
                       const std::function<std::string(const std::string&)>& value_of);

}  // namespace certrebind
