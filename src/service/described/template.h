// Texts of a description in which settings stand in braces.
//
//   {name}          the setting's value; empty if it is not set
//   {name|text}     the setting's value, or this text, in which braces may stand again
//   {.name}         the value that this very section gives; otherwise the sections around it count
//   {/name}         the value that the whole configuration gives
//   {name 2}        the setting's second word, without quotes
//   {name 2:}       its second part, divided by this character
//   {name ldap://*} the words of the setting, wherever this section gives it, that fit this pattern
//   {name.*}        the same for all settings of this section whose names fit, with all their words
//   {section}       the argument of the section; {section 1}: its first word
//   {configuration} the main configuration file; {directory}: its directory
//
// A condition is "name" (is set and not empty), "!name", "name = a|b", "name != a|b", "name ~ a"
// (the word "a" is in the list), "name >= 2.4" or "name < 2.4" (a version; neither holds without
// one); or several of them with " or " between.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "service/described/settings_tree.h"

namespace certrebind::described {

class Template {
 public:
  // `fixed`: further names, such as "configuration".
  Template(const SettingsTree& tree, const std::map<std::string, std::string>& fixed)
      : tree_(tree), fixed_(fixed) {}

  std::string expand(std::string_view text, size_t section) const;
  bool holds(std::string_view condition, size_t section) const;

 private:
  std::string value(std::string_view name, size_t section) const;
  std::string chosen_value(std::string_view name, size_t section) const;
  std::string plain_value(std::string_view name, size_t section) const;
  std::string words_that_fit(std::string_view name, std::string_view pattern, size_t section) const;

  const SettingsTree& tree_;
  const std::map<std::string, std::string>& fixed_;
};

}  // namespace certrebind::described
