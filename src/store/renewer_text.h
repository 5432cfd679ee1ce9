// Parses the configuration formats of renewers: three simple forms of NAME = VALUE.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace certrebind {

using Values = std::map<std::string, std::string>;

// NAME=VALUE or NAME = VALUE, one per line, in any section; later ones win. Skips lines that begin
// with '#', ';' or white space (continuations). Used by certbot, certmonger, systemd.
Values plain_values(std::string_view text);

// Assignments of a shell script. Removes quotes, and expands $NAME and ${NAME} of earlier
// assignments (and of `known`). Skips values that only a shell could compute. Used by acme.sh,
// dehydrated, crontabs.
Values shell_values(std::string_view text, Values known = {});

// The words of a shell line without quotes. Operators separate words and are not returned.
std::vector<std::string> shell_words(std::string_view line);

// The word after one of `options`, or in "--option=WORD", as on a command line. Unset if there is
// none.
std::optional<std::string> option_of(const std::vector<std::string>& words,
                                     const std::vector<std::string>& options);

// "30 days", "6 months 1 week", "9 hours", "30": certbot's renew_before_expiry. Unset for other
// text.
std::optional<std::chrono::seconds> interval_of(std::string_view text);

// Decodes acme.sh's __ACME_BASE64__START_…__ACME_BASE64__END_; other text is returned unchanged.
std::string acme_sh_text(const std::string& written);

}  // namespace certrebind
