// Small helpers over text and paths-as-text. Paths are byte strings: Linux promises no encoding.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certrebind {

// Lower-case hexadecimal of bytes.
std::string to_hex(std::string_view bytes);

// ASCII only: host names and hex digits, never text of a language.
std::string to_lower(std::string_view text);

std::string_view trim(std::string_view text);

std::vector<std::string> split(std::string_view text, char separator);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

// The lines of a text, joined with "; ".
std::string joined_lines(std::string_view text);

// "1 site", "3 sites": `many` defaults to `one` + "s".
std::string count_of(size_t count, std::string_view one, std::string_view many = {});

// "a, b and 3 more": the first `most` of them.
std::string few_of(const std::vector<std::string>& parts, size_t most);

// The directory part of a path: "/a" for "/a/b", "/" for "/b", "." for "b".
std::string parent_directory(std::string_view path);

// The last component of a path.
std::string file_name(std::string_view path);

// `path` itself if absolute, else beneath `directory`. Not normalised.
std::string absolute_in(std::string_view directory, std::string_view path);

// Removes ".", "" and resolves ".." by text alone; for paths that are compared, not opened.
std::string normalized(std::string_view path);

// True if `path` lies in `directory` or below it (both absolute, both normalised).
bool is_within(std::string_view path, std::string_view directory);

// Whether `text` is as `pattern` says, in which "*" stands for one byte or more.
bool fits(std::string_view pattern, std::string_view text);

// The word that `typed` is most probably a slip of, at most two letters away; empty if none is.
std::string closest_to(std::string_view typed, const std::vector<std::string>& words);

// The text as valid UTF-8 on one line: controls (those of U+0080 to U+009F and those that turn the
// direction of writing, too) and invalid sequences become \xNN. For showing names and bytes that
// come from configuration files and certificates.
std::string printable(std::string_view bytes);

// The same of several lines: line ends, tabs and colours (SGR of ECMA-48) stay. For everything that
// may reach a terminal.
std::string printable_lines(std::string_view bytes);

// Takes JSON text (RFC 8259), and gives it with such characters as \uNNNN, which means the same.
std::string escaped_json(std::string_view json);

}  // namespace certrebind
