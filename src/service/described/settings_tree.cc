#include "service/described/settings_tree.h"

#include <algorithm>

#include "base/text.h"

namespace certrebind::described {

// The sections in a section repeat its name: a long one would fill the memory.
constexpr size_t kLongestPath = 1000;

size_t SettingsTree::open(size_t parent, std::string_view type, std::string_view argument) {
  Section section;
  section.path = sections[parent].path;
  if (!section.path.empty()) section.path += '/';
  section.path += type;
  if (!argument.empty()) section.path += ' ' + std::string(argument);
  section.path.resize(std::min(section.path.size(), kLongestPath));
  section.argument = argument;
  section.parent = parent;
  by_path[section.path].push_back(sections.size());
  sections.push_back(std::move(section));
  return sections.size() - 1;
}

void SettingsTree::add_missing(const SettingsTree& others) {
  std::vector<size_t> here = {0};  // the section for each one of `others`
  for (const Section& other : others.sections) {
    if (&other != &others.sections.front()) {
      const auto known = by_path.find(other.path);
      const std::string_view inside =
          std::string_view(other.path).substr(others.sections[other.parent].path.size());
      const std::string_view name = inside.starts_with('/') ? inside.substr(1) : inside;
      const std::string_view type = name.substr(0, name.find(' '));
      here.push_back(known == by_path.end() ? open(here[other.parent], type, other.argument)
                                            : known->second.front());
    }
    for (const Setting& setting : other.settings)
      if (own(here.back(), setting.name) == nullptr)
        sections[here.back()].settings.push_back(setting);
  }
}

const Setting* SettingsTree::own(size_t section, std::string_view name) const {
  const std::vector<Setting>& settings = sections[section].settings;
  const auto last = std::find_if(settings.rbegin(), settings.rend(),
                                 [&](const Setting& setting) { return setting.name == name; });
  if (last != settings.rend()) return &*last;
  const size_t slash = name.rfind('/');
  if (slash == name.npos) return nullptr;
  const std::string inner(name.substr(0, slash));
  const std::string& path = sections[section].path;
  const std::string wanted = path.empty() ? inner : path + "/" + inner;
  const auto found = by_path.find(wanted);
  if (found == by_path.end()) return nullptr;
  const auto& candidates = found->second;
  for (auto i = std::ranges::upper_bound(candidates, section); i != candidates.end(); ++i)
    if (is_within(*i, section)) return own(*i, name.substr(slash + 1));
  return nullptr;
}

const Setting* SettingsTree::find(size_t section, std::string_view name) const {
  for (size_t at = section;; at = sections[at].parent) {
    if (const Setting* found = own(at, name)) return found;
    if (at == 0) return nullptr;
  }
}

bool SettingsTree::is_within(size_t inner, size_t outer) const {
  for (size_t at = inner; at != outer; at = sections[at].parent)
    if (at == 0) return false;
  return true;
}

bool fits_section(std::string_view pattern, const Section& section) {
  return fits(pattern, section.path);
}

}  // namespace certrebind::described
