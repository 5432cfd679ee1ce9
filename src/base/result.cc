#include "base/result.h"

namespace certrebind {

std::string Error::message() const {
  if (doing.empty()) return cause;
  std::string text = "cannot " + doing;
  if (!subject.empty()) text += " " + subject;
  return text + ": " + cause;
}

}  // namespace certrebind
