// For tests: files in memory, below a server's root directory.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "service/root.h"
#include "sys/memory_files.h"

namespace certrebind {

using Texts = std::map<std::string, std::string>;  // by path
using Lines = std::vector<std::string>;

struct Rooted {
  explicit Rooted(const Texts& texts, const std::string& directory = "/") : root(directory, files) {
    for (const auto& [path, text] : texts) files.put(path, text);
  }

  MemoryFiles files;
  Root root;
};

}  // namespace certrebind
