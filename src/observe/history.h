// What the database adds to the survey: what was seen, declared and done before. Only this tells
// where a server still has an old certificate in memory if no handshake shows it, for example a
// certificate that the server presents as a client.
#pragma once

#include <vector>

#include "observe/asker.h"
#include "store/sightings.h"
#include "store/successions.h"
#include "survey/survey.h"
#include "sys/host.h"
#include "transaction/journal.h"

namespace certrebind {

struct History {
  std::vector<Sighting> sightings = {};
  std::vector<KnownSuccession> successions = {};
  Journal* journal = nullptr;  // null: nothing was ever done
};

// Reads all of it. `journal` must outlive the result.
Result<History> read_history(Database& database, Journal& journal);

// Sets `not_loaded` on bindings that no handshake can show, if all of this is true: another
// certificate was seen at the path before; the file, or a link to it, was changed after the
// server's workers were started; and we did not make the server load it since. Start times have a
// resolution of 1/100 second. If both times fall into the same 1/100 second, the file counts as not
// loaded.
void mark_not_loaded(const Host& host, const History& history, Survey& survey);

// Completes a survey by what the files do not tell: mark_not_loaded, and the shadowed certificates
// that are still shown (shadowed_in_memory.h). A policy must have been applied before.
Result<Survey> as_loaded(Result<Survey> surveyed, const Host& host, Asker& asker,
                         const History& history);

}  // namespace certrebind
