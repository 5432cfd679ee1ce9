// Takes a certificate out of certrebind's own store.
#pragma once

#include <string>
#include <vector>

#include "observe/looking.h"
#include "state/database.h"
#include "store/own.h"
#include "transaction/transaction.h"

namespace certrebind {

// The sites that name a file of `own`, running or not, those that serve a certificate of it, and
// the lines (FILE:LINE) in a server's configuration that mention it.
// Code::failed if a server's configuration could not be read, because it may name one too.
Result<std::vector<std::string>> users_of(const Looking& at, Database& database,
                                          const OwnCertificate& own);

// Where a certificate goes that is removed: beside its store.
std::string archive_of(const OwnCertificate& own);

// Moves it to the archive (event 1005), and returns where it is.
Result<std::string> archive_certificate(const TransactionContext& context,
                                        const OwnCertificate& own);
// Deletes it with its key and the copies of both that were kept for `restore` (event 1004).
Done purge_certificate(const TransactionContext& context, const OwnCertificate& own);

}  // namespace certrebind
