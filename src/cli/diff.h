// A unified diff of two texts, as people read it.
#pragma once

#include <string>

namespace certrebind {

// With three lines of context. Empty where the texts are equal. Lines are made printable.
std::string unified_diff(const std::string& path, const std::string& before,
                         const std::string& after);

}  // namespace certrebind
