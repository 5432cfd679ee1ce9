// Finds directives that name certificates in contexts that certrebind does not understand.
#pragma once

#include <vector>

#include "service/nginx/config.h"
#include "service/service.h"

namespace certrebind::nginx {

// Lists, with its position, every directive that looks like a certificate directive but does not
// become a binding: in mail, in an unknown block, or of an unknown module.
std::vector<Diagnostic> stray_certificates(const Config& config);

}  // namespace certrebind::nginx
