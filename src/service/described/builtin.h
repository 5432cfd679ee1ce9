// The descriptions of the product, services.d/*.toml, as the build puts them into the program.
#pragma once

#include <span>

namespace certrebind::described {

struct BuiltinDescription {
  const char* file;  // "services.d/postfix.toml"
  const char* text;
};

std::span<const BuiltinDescription> builtin_descriptions();

}  // namespace certrebind::described
