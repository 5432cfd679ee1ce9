// What is known beside the survey: what was seen, declared and done before. And what only that can
// tell: where a server still has a certificate that is no longer on disk, and no handshake shows
// it, as with one that it shows to others as a client.
#pragma once

#include <vector>

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

// Reads all of it. `journal` has to outlive it.
Result<History> read_history(Database& database, Journal& journal);

// Sets `not_loaded` of the bindings that no handshake shows: where another certificate was seen at
// the path before, the file (or a link to it) was changed after the server's workers were started,
// and no act of ours had it taken up since. Starts are told in hundredths of a second: where both
// fell into the same one, it counts as not loaded.
void mark_not_loaded(const Host& host, const History& history, Survey& survey);

}  // namespace certrebind
