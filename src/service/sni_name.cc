#include "service/sni_name.h"

#include "sys/ip_text.h"

namespace certrebind {

bool is_sni_name(std::string_view name) {
  if (name.empty() || name == "_" || name.size() > 253) return false;
  size_t label = 0;  // the length of the current label
  bool letters = false;
  for (char c : name) {
    bool letter = (c >= 'a' && c <= 'z') || c == '-' || c == '_';
    if (c == '.' ? label == 0 : !letter && !(c >= '0' && c <= '9')) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > 63) return false;
    letters = letters || letter;
  }
  return label != 0 && (letters || !canonical_ipv4(name));
}

}  // namespace certrebind
