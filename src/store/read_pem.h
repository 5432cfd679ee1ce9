// A file with certificates or keys, as PEM.
#pragma once

#include <string>

#include "sys/files.h"

namespace certrebind {

// Reads a PEM file, or a PKCS #12 file without a password, which becomes PEM: the certificate of
// its key first, then the others, then the key. Any other file is returned as it is, and so is a
// PKCS #12 file of another user.
Result<std::string> read_pem(const Files& files, const std::string& path, size_t limit = kPemLimit);

// Why there is no certificate in the text of a file.
std::string why_no_certificate(const std::string& text);

}  // namespace certrebind
