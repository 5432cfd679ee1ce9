#include "state/wake.h"

namespace certrebind {

void wake_daemon(Files& files, const Settings& settings) {
  std::string path = settings.run_directory + "/" + kWakeFile;
  (void)files.create(path, "", {.mode = 0600, .owner = {}, .group = {}, .extended = {}});
  (void)files.remove(path);
}

}  // namespace certrebind
