// The part of a program's output that is stored.
#pragma once

#include <string>

namespace certrebind {

// The last 64 KiB, with every PEM private key replaced by "[private key removed]". This includes
// keys whose beginning or end is missing.
std::string kept_output(std::string output);

}  // namespace certrebind
