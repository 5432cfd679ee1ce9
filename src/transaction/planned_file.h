// A file that a transaction replaces.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace certrebind {

// Permission bits that a file gets together with its new content.
struct ModeChange {
  uint32_t before = 0;
  uint32_t after = 0;
  bool operator==(const ModeChange&) const = default;
};

struct PlannedFile {
  std::string path;  // real path
  // The directory in which the new file is prepared, as given by staging_directory (sys/replace.h).
  std::string staging = {};
  std::string before;  // its content now
  std::string after;
  bool secret =
      false;         // contains a private key, or is a certificate file that is replaced as a whole
  std::string what;  // what a secret file will contain: "certificate 1a2b…", "private key"
  std::string note = {};                // what a person should know about this file
  bool is_absent = false;               // the file does not exist now; `before` is empty
  std::optional<ModeChange> mode = {};  // unset: the mode stays
};

}  // namespace certrebind
