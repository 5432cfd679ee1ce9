// A succession: NEW takes the place of OLD.
#pragma once

#include <string>
#include <vector>

#include "store/successions.h"
#include "survey/identify.h"
#include "survey/survey.h"

namespace certrebind {

// OLD is to be succeeded by NEW, as declared.
struct Succession {
  OldCertificate old_one;
  NewCertificate new_one;
  How how = How::declared;
  std::string renewer = {};

  const Thumbprint& new_thumbprint() const { return new_one.bundle.leaf.outline.thumbprint; }
  // OLD = NEW: nothing is replaced, a reload and proof are all that is wanted.
  bool is_forced() const { return old_one.thumbprint == new_thumbprint(); }
};

// Whether its file holds the OLD of one of these.
bool holds_some_old(const SurveyedBinding& bound, const std::vector<Succession>& successions);

}  // namespace certrebind
