// The built-in task that tells somebody what needs a person.
#pragma once

#include <string>

#include "daemon/task.h"
#include "sys/files.h"

namespace certrebind {

inline constexpr const char* kNotifyTask = "notify";

inline constexpr const char* kSendmail = "/usr/sbin/sendmail";
inline constexpr const char* kMailServerHint =
    "install a mail server (postfix, msmtp-mta), or use a webhook";

// True if the task sends mail, and this machine has no program for that.
bool lacks_sendmail(const Files& files, const Task& task);

// Code::usage unless it is mailto: or the URL of a webhook.
Done check_notify_address(const std::string& to);

// Triggered when something needs a person or a task failed for good, and every few hours for what
// is still open.
Task notify_task(const std::string& program, const std::string& to);

}  // namespace certrebind
