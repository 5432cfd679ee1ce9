// A file that a transaction replaces.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace certrebind {

// Permission bits that a file gets beside its new content.
struct ModeChange {
  uint32_t before = 0;
  uint32_t after = 0;
  bool operator==(const ModeChange&) const = default;
};

struct PlannedFile {
  std::string path;  // real
  // The directory in which it is made ready: as staging_directory (sys/replace.h) gives.
  std::string staging = {};
  std::string before;  // what it holds now
  std::string after;
  bool secret = false;  // holds a private key, or is a certificate file that is replaced whole
  std::string what;     // for secret files, what is put there: "certificate 1a2b…", "private key"
  std::string note = {};                // what a person should know of it
  bool is_absent = false;               // there is none now: `before` is empty
  std::optional<ModeChange> mode = {};  // unset: it stays
};

}  // namespace certrebind
