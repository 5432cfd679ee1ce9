// A unified diff of two texts, for people.
#pragma once

#include <string>

namespace certrebind {

// With three lines of context. Empty if the texts are equal. Lines are made printable.
std::string unified_diff(const std::string& path, const std::string& before,
                         const std::string& after);

}  // namespace certrebind
