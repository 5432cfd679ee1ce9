// Certificates that a server renewed itself, in its memory only (Binding::renews_in_memory). The
// file holds an older one, which the next reload would bring back, and the new key would be lost.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "observe/asker.h"
#include "survey/survey.h"
#include "transaction/transaction.h"

namespace certrebind {

// True if the handshake showed a renewed certificate that is not in the binding's file.
bool is_only_in_memory(const SurveyedBinding& bound, const Served& served);

// The bindings of the server with such a certificate, and what they serve. Makes handshakes if the
// server renews any certificate itself.
std::vector<std::pair<const SurveyedBinding*, Served>> only_in_memory(Asker& asker,
                                                                      const Survey& survey,
                                                                      const Service& service);

// "…, which the server renewed in its memory only".
std::string in_memory_sentence(const SurveyedBinding& bound, const Served& served);

// The commands that bring it into the binding's file.
std::string how_to_save(const SurveyedBinding& bound);

// Lets the request go on only without a reload, if one would lose such a certificate.
void keep_memory(const Prober& prober, const Survey& survey, TransactionRequest& work);

}  // namespace certrebind
