// Reads the corpus in tests/corpus/nginx without nginx. Every byte must be preserved, every broken
// file reported, and no cut or change may crash the reader.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "service/nginx/view_for_test.h"

namespace certrebind::nginx {
namespace {

namespace fs = std::filesystem;

const fs::path kCorpus =
    fs::path(__FILE__).parent_path() / ".." / ".." / ".." / "tests" / "corpus" / "nginx";

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> files_below(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

// A valid configuration, as if in /etc/nginx.
View installed(const fs::path& directory) {
  Texts texts;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file())  // also follows links
      texts["/etc/nginx/" + fs::relative(entry.path().parent_path(), directory).string() + "/" +
            entry.path().filename().string()] = bytes_of(entry.path());
  Texts tidied;
  for (const auto& [path, text] : texts) tidied[normalized(path)] = text;
  return View(tidied);
}

// The text rebuilt from the words and the text between them.
std::string reassembled(const Tree& tree) {
  const std::string& text = tree.text();
  std::string whole;
  size_t last = 0;
  for (const Directive& directive : tree.directives())
    for (const Word& word : tree.words(directive)) {
      if (directive.word_count == 0) continue;
      whole +=
          text.substr(last, word.begin - last) + text.substr(word.begin, word.end - word.begin);
      last = word.end;
    }
  return whole + text.substr(last);
}

TEST(Corpus, IsKeptByteForByte) {
  std::vector<fs::path> files = files_below(kCorpus);
  ASSERT_GT(files.size(), 40u);
  for (const fs::path& file : files) {
    std::string text = bytes_of(file);
    EXPECT_EQ(reassembled(Tree(text)), text) << file;
  }
}

TEST(Corpus, IsUnderstoodWhereNginxAcceptsIt) {
  for (const auto& entry : fs::directory_iterator(kCorpus / "valid")) {
    View view = installed(entry.path());
    Discovery found = view.discovery();
    EXPECT_EQ(messages(found.diagnostics), Lines{}) << entry.path();
    EXPECT_FALSE(found.bindings.empty()) << entry.path();
  }
}

TEST(Corpus, IsNamedWhereNginxRefusesIt) {
  for (const fs::path& file : files_below(kCorpus / "refused"))
    EXPECT_FALSE(Tree(bytes_of(file)).errors().empty()) << file;
}

TEST(Corpus, OfOtherModulesIsLeftAlone) {
  auto found = [](const char* name) {
    return View::of(bytes_of(kCorpus / "elsewhere" / name)).discovery();
  };
  EXPECT_EQ(found("mail.conf").diagnostics.size(), 4u);
  EXPECT_TRUE(found("mail.conf").bindings.empty());
  EXPECT_EQ(lines(found("quic.conf")),
            (Lines{"h3.example.com h3.pem @127.0.0.1:443 h3.example.com -"}));
  EXPECT_NE(found("quic.conf").bindings.at(0).not_editable, "");
  EXPECT_EQ(found("third-party.conf").diagnostics.size(), 2u);
  EXPECT_NE(found("third-party.conf").bindings.at(0).not_editable, "");
}

TEST(Corpus, NeverBringsDiscoveryDown) {
  for (const fs::path& file : files_below(kCorpus)) {
    std::string text = bytes_of(file);
    for (size_t length = 0; length < text.size(); length += 7)
      View::of(text.substr(0, length)).discovery();
    for (size_t at = 0; at < text.size(); at += 11) {
      std::string changed = text;
      changed[at] = "{}\"';\\#"[at % 7];
      View::of(changed).discovery();
    }
  }
}

}  // namespace
}  // namespace certrebind::nginx
