#include "service/service.h"

#include <fmt/format.h>

namespace certrebind {

std::string Diagnostic::text() const {
  if (line == 0) return fmt::format("{}: {}", file, message);
  return fmt::format("{}:{}:{}: {}", file, line, column, message);
}

}  // namespace certrebind
