// Small helpers for text and for paths as text. Paths are byte strings, because Linux guarantees no
// encoding.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certrebind {

// Lower-case hexadecimal of bytes.
std::string to_hex(std::string_view bytes);

// ASCII only. Use it for host names and hex digits, not for natural language.
std::string to_lower(std::string_view text);

std::string_view trim(std::string_view text);

std::vector<std::string> split(std::string_view text, char separator);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

// The lines of a text, joined with "; ".
std::string joined_lines(std::string_view text);

// "1 site", "3 sites": `many` defaults to `one` + "s".
std::string count_of(size_t count, std::string_view one, std::string_view many = {});

// "a, b and 3 more": lists the first `most` parts.
std::string few_of(const std::vector<std::string>& parts, size_t most);

// The directory part of a path: "/a" for "/a/b", "/" for "/b", "." for "b".
std::string parent_directory(std::string_view path);

// The last component of a path.
std::string file_name(std::string_view path);

// `path` itself if it is absolute, otherwise `path` below `directory`. Not normalised.
std::string absolute_in(std::string_view directory, std::string_view path);

// Removes "." and empty components and resolves ".." textually. Use it for paths that are compared,
// not opened.
std::string normalized(std::string_view path);

// True if `path` lies in `directory` or below it (both absolute, both normalised).
bool is_within(std::string_view path, std::string_view directory);

// True if `text` matches `pattern`. "*" in the pattern matches one or more bytes.
bool fits(std::string_view pattern, std::string_view text);

// The word that `typed` probably misspells: at most two letters differ. Empty if there is none.
std::string closest_to(std::string_view typed, const std::vector<std::string>& words);

// The text as valid UTF-8 on one line. Control characters and invalid sequences become \xNN.
// Control characters include U+0080 to U+009F and the characters that change the writing direction.
// Used to show names and bytes from configuration files and certificates.
std::string printable(std::string_view bytes);

// Like `printable`, for several lines: line ends, tabs and colours (SGR of ECMA-48) are kept. Used
// for everything that may reach a terminal.
std::string printable_lines(std::string_view bytes);

// The word as a shell takes it literally (sh(1), bash, zsh): in single quotes where needed (also a
// leading "=", which zsh expands). For
// commands that a person may paste; control characters are the caller's to refuse or to escape.
std::string shell_quoted(std::string_view word);

// Takes JSON text (RFC 8259) and writes the same characters as \uNNNN, which means the same.
std::string escaped_json(std::string_view json);

}  // namespace certrebind
