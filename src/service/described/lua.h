// Lua, as far as Prosody's configuration uses it (prosody.im/doc/configure): NAME = VALUE, and NAME
// "text", which for VirtualHost and Component begins a section. A table is a list, or has names:
// "ssl = { key = … }" is the setting "ssl.key". Expressions are not followed: each becomes a
// diagnostic with its line.
#pragma once

#include <string>

#include "service/described/settings_tree.h"
#include "service/described/source.h"

namespace certrebind::described {

// `source.sections`: the names that begin a section. Each is a setting of the section around, too.
void read_lua(const Source& source, const std::string& text, const std::string& file, size_t at,
              SettingsTree& tree);

}  // namespace certrebind::described
