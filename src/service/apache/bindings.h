// All uses of certificates in a configuration.
#pragma once

#include "service/apache/config.h"
#include "service/root.h"
#include "service/service.h"

namespace certrebind::apache {

Discovery discover_bindings(Config config, Root& root);

}  // namespace certrebind::apache
