#include "base/result.h"

#include "base/text.h"

namespace certrebind {

std::string Error::message() const {
  if (doing.empty()) return cause;
  std::string text = "cannot " + doing;
  if (!subject.empty()) text += " " + printable(subject);  // a path may contain any bytes
  return text + ": " + cause;
}

}  // namespace certrebind
