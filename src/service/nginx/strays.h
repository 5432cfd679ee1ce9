// Directives that name certificates where this program does not know what they mean.
#pragma once

#include <vector>

#include "service/nginx/config.h"
#include "service/service.h"

namespace certrebind::nginx {

// Names, with its place, every directive that looks like a certificate's and is none of those that
// become bindings: in mail, in a block nobody knows, or of a module nobody knows.
std::vector<Diagnostic> stray_certificates(const Config& config);

}  // namespace certrebind::nginx
