// Tells somebody what needs a person: what is sent, and what was sent before.
#pragma once

#include <string>
#include <vector>

#include "lifecycle/attention.h"
#include "state/database.h"

namespace certrebind {

// Sent again after this time, as long as it lasts.
inline constexpr std::chrono::hours kReminder{24};

// Those that were never sent, or longer ago than kReminder.
Result<std::vector<Attention>> untold(Database& database, std::vector<Attention> needed,
                                      WallTime now);
// Notes that all of `needed` are known now; the `told` ones were just sent. What is over is
// forgotten, unless `needed` is only a part of what there is.
Done note_told(Database& database, const std::vector<Attention>& needed,
               const std::vector<Attention>& told, bool is_partial, WallTime now);

// The mail, with its headers (RFC 5322); `to` is an address.
std::string mail_text(const std::string& to, const std::string& host,
                      const std::vector<Attention>& told);
// One event in the structured mode of CloudEvents 1.0, as JSON. `id` must be new.
std::string cloud_event(const std::string& id, const std::string& host,
                        const std::vector<Attention>& told, WallTime now);

}  // namespace certrebind
