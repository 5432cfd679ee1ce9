// Converts the journal's record to JSON text and back.
#pragma once

#include <string>

#include "transaction/record.h"

namespace certrebind {

std::string record_to_json(const JournalRecord& record);

// The form of a path in that JSON: each byte becomes the code point of the same value, because JSON
// strings cannot hold arbitrary bytes.
std::string widen(const std::string& bytes);

// Throws nlohmann::json::exception for text that record_to_json did not write.
JournalRecord record_from_json(const std::string& text);

}  // namespace certrebind
