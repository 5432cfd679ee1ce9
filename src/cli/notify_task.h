// The built-in task that tells somebody what needs a person.
#pragma once

#include <string>

#include "daemon/task.h"

namespace certrebind {

inline constexpr const char* kNotifyTask = "notify";

// Code::usage unless it is mailto: or the URL of a webhook.
Done check_notify_address(const std::string& to);

// Triggered when something needs a person or a task failed for good, and every few hours for what
// is still open.
Task notify_task(const std::string& program, const std::string& to);

}  // namespace certrebind
