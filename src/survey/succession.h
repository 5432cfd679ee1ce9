// A succession: NEW replaces OLD.
#pragma once

#include <string>
#include <vector>

#include "store/successions.h"
#include "survey/identify.h"
#include "survey/survey.h"

namespace certrebind {

// NEW is declared to replace OLD.
struct Succession {
  OldCertificate old_one;
  NewCertificate new_one;
  How how = How::declared;
  std::string renewer = {};
  Risks accepted = {};  // by the person who declared it

  const Thumbprint& new_thumbprint() const { return new_one.bundle.leaf.outline.thumbprint; }
  // OLD = NEW: nothing is replaced; only a reload and a proof are wanted.
  bool is_forced() const { return old_one.thumbprint == new_thumbprint(); }
};

// True if the file of `bound` holds the OLD of one of these successions.
bool holds_some_old(const SurveyedBinding& bound, const std::vector<Succession>& successions);

}  // namespace certrebind
