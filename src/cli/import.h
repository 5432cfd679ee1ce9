// Imports credentials that a command has read or made, and tells what came of it.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "store/own.h"

namespace certrebind {

struct ImportOptions {
  std::string store;                  // a directory; empty: certrebind's own
  std::string name;                   // in the store; empty: the certificate's first name
  std::vector<std::string> accepted;  // names of risks
  bool rebind = false;
};

// --store, --name, --accept and --rebind.
std::vector<CommandOption> import_options(ImportOptions& options);

// What is imported, and how a person named it.
struct TypedImport {
  Credentials credentials;
  CertificateFiles from;  // for messages
  std::string command;    // as it may be typed again, without --accept
};

// If an open request has the key, the import takes it from there, and removes the request. Prints
// everything and returns the exit code.
int import_and_tell(Context& context, const ImportOptions& options, TypedImport typed);

}  // namespace certrebind
