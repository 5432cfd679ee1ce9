#include "sys/editor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "sys/processes.h"

namespace certrebind {

namespace {

std::string chosen() {
  for (const char* variable : {"VISUAL", "EDITOR"})
    if (const char* set = std::getenv(variable); set != nullptr && *set != '\0') return set;
  return ::access("/usr/bin/editor", X_OK) == 0 ? "/usr/bin/editor" : "vi";
}

}  // namespace

Done edit(const std::string& path) {
  const std::string editor = chosen();
  const std::string quoted = Command{.arguments = {path}, .root = {}}.text();
  // system(3) leaves the terminal's signals to the editor.
  int status = std::system((editor + " " + quoted).c_str());
  if (status == 0) return {};
  return fail(Code::failed, "edit", path, fmt::format("{} did not end well", editor),
              "EDITOR names another editor");
}

}  // namespace certrebind
