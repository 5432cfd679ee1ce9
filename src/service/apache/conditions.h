// The conditions of <IfModule>, <IfDefine>, <IfVersion> and <IfFile>, decided while reading.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/apache/config.h"

namespace certrebind::apache {

// The names by which a module is asked for once "LoadModule IDENTIFIER FILE" was read: the
// identifier, and the name of its source file.
std::vector<std::string> module_names(std::string_view identifier, std::string_view file);

// The identifier of a module that is compiled in: "ssl_module" of "mod_ssl.c".
std::string module_identifier(std::string_view source_file);

// Takes the arguments of an <IfVersion>; nothing for a form that httpd refuses.
std::optional<bool> version_fits(const Version& version, std::span<const Word> arguments);

}  // namespace certrebind::apache
