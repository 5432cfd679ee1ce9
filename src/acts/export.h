// Copies of certificates for other machines.
#pragma once

#include <string>

#include "survey/identify.h"
#include "transaction/transaction.h"

namespace certrebind {

// Writes a file that does not exist yet, as a whole, with mode 0600. Code::exists if there is one;
// Code::denied if users other than root could lead the write elsewhere.
Done write_new_file(Files& files, const std::string& path, const std::string& bytes);

struct Export {
  Certificate leaf;
  std::string bytes;
  bool with_key = false;
  std::string path;        // absolute; "-": the caller prints the bytes
  bool overwrite = false;  // a file that is there
};

// Logs 1007, and then makes the copy.
Done export_certificate(const TransactionContext& context, const Export& copy);

}  // namespace certrebind
