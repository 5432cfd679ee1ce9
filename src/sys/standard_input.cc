#include "sys/standard_input.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "sys/system_error.h"

namespace certrebind {

Result<std::string> read_standard_input(size_t limit) {
  std::string bytes;
  std::array<char, 1 << 16> block;
  while (true) {
    const ssize_t got = ::read(STDIN_FILENO, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure(errno, "read", "standard input");
    if (got == 0) return bytes;
    if (bytes.size() + static_cast<size_t>(got) > limit)
      return fail(Code::failed, "read", "standard input", "it is too long");
    bytes.append(block.data(), static_cast<size_t>(got));
  }
}

}  // namespace certrebind
