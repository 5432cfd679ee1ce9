// The journal's record as JSON text, and back.
#pragma once

#include <string>

#include "transaction/record.h"

namespace certrebind {

std::string record_to_json(const JournalRecord& record);

// A path as it stands there: each byte is the code point of its value, for JSON has no bytes.
std::string widen(const std::string& bytes);

// Throws nlohmann::json::exception for text that record_to_json did not write.
JournalRecord record_from_json(const std::string& text);

}  // namespace certrebind
