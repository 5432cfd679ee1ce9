// Any bytes as the configuration of a described server; the first byte chooses the format. The
// place of a value is in the text and holds it as written, and what is said of it is bounded.
//
//   scripts/fuzz 60
#include <cstdint>
#include <cstdlib>
#include <string>

#include "service/described/formats.h"

namespace {

using namespace certrebind::described;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Source source;
  source.format = static_cast<Format>(data[0] % (static_cast<size_t>(Format::lookup_table) + 1));
  source.sections = {"VirtualHost", "listener"};
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  SettingsTree tree;
  read_format(source, text, "/x", false, 0, tree);
  require(tree.sections.size() <= kMostSections + 1);
  for (const Section& section : tree.sections) {
    require(section.parent < tree.sections.size());
    for (const Setting& setting : section.settings) {
      require(setting.where.begin <= setting.where.end && setting.where.end <= text.size());
      if (setting.where.end > setting.where.begin)
        require(text.substr(setting.where.begin, setting.where.end - setting.where.begin) ==
                setting.written);
    }
  }
  return 0;
}
