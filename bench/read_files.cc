// Reads every file named in a list, as plainly as can be: what `scan` is measured against.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ifstream list(argv[1]);
  std::vector<std::string> paths;
  for (std::string line; std::getline(list, line);) paths.push_back(line);
  auto begun = std::chrono::steady_clock::now();
  std::string bytes;
  for (const std::string& path : paths) {
    int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (file < 0 || ::fstat(file, &status) != 0) return 1;
    bytes.resize(static_cast<size_t>(status.st_size));
    if (::read(file, bytes.data(), bytes.size()) != status.st_size) return 1;
    ::close(file);
  }
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::printf("%.6f\n", took.count());
}
