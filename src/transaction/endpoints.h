// What clients see during one transaction: who answers before, what is proven after, and whom the
// reload silenced. The answers that recovery needs are written into the journal's record.
#pragma once

#include <string>
#include <vector>

#include "proof/foreign_listeners.h"
#include "proof/proof.h"
#include "transaction/transaction.h"

namespace certrebind {

class Endpoints {
 public:
  // Both must outlive this object.
  Endpoints(const TransactionContext& context, JournalRecord& record)
      : context_(context), record_(record) {}

  // Makes one handshake for each expectation. The record must say which endpoints do not answer.
  void ask_who_answers();
  // A reload also makes the other sites of the server load what is in their files by now. Only
  // sites that answer before can be silenced. Asks once.
  void ask_the_others();

  Verdict prove_new(const ProofLimits& within);
  Verdict prove_old(const ProofLimits& within) const;
  // Endpoints that answer only now, with neither certificate, as prove_new found them.
  const std::vector<std::string>& strangers() const { return strangers_; }

  // The other sites that answered before and no longer do. Each is asked again for a while, because
  // one handshake may fail while the workers change.
  std::vector<std::string> silenced() const;
  // Other processes that take connections at the proven endpoints. It repeats the check, because an
  // old worker may be about to close its sockets.
  std::vector<ForeignListener> foreign(const SignalReload& master) const;
  // True if an endpoint shows the new certificate, and that proves that the server has loaded it.
  bool shows_new() const;

  // "served: 2 of 3 endpoints and names show the new certificate, …".
  std::string served_now(const char* wanted) const;
  // A certificate that was served only from memory is lost once the server has loaded anything.
  std::string told_of_memory() const;

 private:
  bool somebody_answers_now();

  const TransactionContext& context_;
  JournalRecord& record_;
  std::vector<std::string> strangers_;
  bool others_asked_ = false;  // we know which other sites answered before the reload
};

}  // namespace certrebind
