// How renewers write their configuration: three simple forms of NAME = VALUE.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace certrebind {

using Values = std::map<std::string, std::string>;

// NAME=VALUE or NAME = VALUE on lines of their own, in any section; later ones win. Lines that
// begin with '#', ';' or white space (continuations) are passed over. certbot, certmonger, systemd.
Values plain_values(std::string_view text);

// Assignments of a shell script: quotes taken off, $NAME and ${NAME} of earlier ones (and of
// `known`) put in. What only a shell could work out is left out. acme.sh, dehydrated, crontabs.
Values shell_values(std::string_view text, Values known = {});

// The words of a shell line, quotes taken off; operators end words and are no words themselves.
std::vector<std::string> shell_words(std::string_view line);

// The word behind one of `options`, or in "--option=WORD", as in a command line; absent: none.
std::optional<std::string> option_of(const std::vector<std::string>& words,
                                     const std::vector<std::string>& options);

// "30 days", "6 months 1 week", "9 hours", "30": certbot's renew_before_expiry. None for other
// text.
std::optional<std::chrono::seconds> interval_of(std::string_view text);

// acme.sh writes commands as __ACME_BASE64__START_…__ACME_BASE64__END_; other text as it is.
std::string acme_sh_text(const std::string& written);

// A whole decimal number, none for anything else.
std::optional<int64_t> number_of(std::string_view text);

}  // namespace certrebind
