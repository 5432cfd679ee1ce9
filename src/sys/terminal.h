// The terminal at standard output, and a pager there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace certrebind {

struct TerminalSize {
  size_t columns = 0, rows = 0;
};
// Unset if standard output is no terminal, or one that does not tell its size.
std::optional<TerminalSize> terminal_size();

// The user who typed the command, if the rights of this process are another user's: by sudo(8),
// which says so in SUDO_UID, or by a login as another user before (loginuid of proc(5)). Unset:
// the rights are the caller's own.
std::optional<uint32_t> other_caller();

// Shows the text with the pager, and waits for its end. The pager is PAGER, else less(1). If
// another user typed the command, it is less in its secure mode, with that user's rights: a pager
// can start a shell. False if there is no pager; then nothing was shown.
bool show_in_pager(const std::string& text);

}  // namespace certrebind
