// Evaluates <IfModule>, <IfDefine>, <IfVersion> and <IfFile> while reading.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/apache/config.h"

namespace certrebind::apache {

// The names that match a module in <IfModule> after "LoadModule IDENTIFIER FILE": the identifier,
// and the name of its source file.
std::vector<std::string> module_names(std::string_view identifier, std::string_view file);

// The identifier of a compiled-in module: "ssl_module" for "mod_ssl.c".
std::string module_identifier(std::string_view source_file);

// Takes the arguments of an <IfVersion>. Unset for a form that httpd rejects.
std::optional<bool> version_fits(const Version& version, std::span<const Word> arguments);

}  // namespace certrebind::apache
