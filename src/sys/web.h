// Sends a request to a web server.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"

namespace certrebind {

// Posts `body` to an http or https URL. Follows no redirect; the certificate must be valid. An
// error says what failed, or the status that was answered.
Done post(const std::string& url, const std::string& content_type, const std::string& body,
          milliseconds deadline);

}  // namespace certrebind
