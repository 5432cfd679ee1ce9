// What is kept of a program's output.
#pragma once

#include <string>

namespace certrebind {

// The last 64 KiB, with every PEM private key replaced by "[private key removed]", also one whose
// beginning or end is missing.
std::string kept_output(std::string output);

}  // namespace certrebind
