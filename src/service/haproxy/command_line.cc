#include "service/haproxy/command_line.h"

#include <algorithm>
#include <string_view>

namespace certrebind::haproxy {

namespace {

bool is_pid(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

CommandLine parse_arguments(const std::vector<std::string>& arguments) {
  CommandLine line;
  for (size_t i = 1; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    auto value = [&] { return i + 1 < arguments.size() ? arguments[++i] : std::string(); };
    if (word == "--") {
      line.configs.insert(line.configs.end(), arguments.begin() + static_cast<ptrdiff_t>(i) + 1,
                          arguments.end());
      break;
    }
    if (word == "-f") {
      // Several files may follow one -f.
      line.configs.push_back(value());
      while (i + 1 < arguments.size() && !arguments[i + 1].starts_with('-'))
        line.configs.push_back(arguments[++i]);
    } else if (word == "-C") {
      line.directory = value();
    } else if (word == "-L") {
      line.peer = value();
    } else if (word == "-W" || word == "-Ws") {
      line.master_worker = true;
    } else if (word == "-sf" || word == "-st") {
      while (i + 1 < arguments.size() && is_pid(arguments[i + 1])) ++i;
    } else if (word == "-x" || word == "-S" || word == "-p" || word == "-n" || word == "-m" ||
               word == "-N") {
      value();
    } else if (word == "-c" || word == "-cc" || word.starts_with("-v") || word == "-h") {
      line.one_shot = true;
    }
  }
  std::erase(line.configs, "");
  return line;
}

}  // namespace certrebind::haproxy
