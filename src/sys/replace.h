// Replacing a set of files as one: at every instant, and after a crash at any instant, a reader
// finds all of them old or all of them new.
//
// rename(2) is atomic for one file only. Between the renames of a certificate and of its key there
// is an instant in which they do not match: short, but a server that reads per connection, or one
// that boots after a power failure, can fall into it. So a set of two or more goes through a pivot:
//
//   1. every file F is exchanged for a symbolic link F -> pivot/now/N; `now` is a link to `old`,
//   where N
//      leads to the old content. Nothing that a reader sees has changed.
//   2. the link `now` is renamed over to lead to `new`. This is the one instant at which all
//   change.
//   3. every link F is exchanged for the plain new file. Again nothing that a reader sees changes:
//      `new/N` leads to a second name of that file, for those who are on their way through the
//      pivot just then.
//
// One file needs no pivot: it is exchanged for the new one. RENAME_EXCHANGE also hands back what
// was displaced, so that an edit made by somebody else at the last moment is seen and put back;
// where the file system lacks it, the file is compared just before a plain rename.
//
// The pivot stands where the first file is staged, and links are relative: they hold inside a
// chroot too. Everything made on the way is named ".certrebind-NAME…", which no server's wildcard
// include matches. Where a server reads every file of a directory, whatever its name, a file in it
// is staged above that directory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sys/files.h"

namespace certrebind {

// A file that is replaced, and the directory in which what belongs to it is made on the way; both
// real paths, on one file system.
struct StagedFile {
  std::string path;
  std::string staging;
};

struct Replacement {
  size_t number = 0;      // of the file in the whole that the set belongs to: names what is staged
  std::string path;       // a real path: links in it already resolved
  std::string staging;    // as in StagedFile
  std::string expected;   // what a reader finds there now; anything else is a race
  std::string bytes;      // what shall lie there
  Attributes attributes;  // of the new file: those of the file it replaces
};

class ReplaceSet {
 public:
  // `name` is unique for ever: leftovers of different sets must never meet. `pivot_directory` is
  // where the first file of the whole is staged.
  ReplaceSet(Files& files, std::string name, const std::string& pivot_directory,
             std::vector<Replacement> replacements);

  // Does all that can fail: space, rights, comparison with what is expected. Changes no file;
  // durable. An error if a file is not what was expected.
  Done stage();

  // After a successful stage, and before the swap: An error if a file does not look as it did
  // then. Cheap, by its inode, size and mtime: `swap` compares what lies in each.
  Done look_again() const;

  // After a successful stage. An error if a file was changed meanwhile, at whatever step; that
  // file is then as somebody left it. After any failure every other file is all old or all new to
  // readers, perhaps through links: set the content that is wanted with another ReplaceSet, then
  // remove_leftovers.
  Done swap() {
    Done flipped = flip();
    return flipped ? settle() : flipped;
  }
  // Its two halves: after the first every reader finds the new files, perhaps through links; the
  // second, which is half of the work, makes them plain.
  Done flip();
  Done settle();

 private:
  std::string beside(size_t index, const char* suffix) const;
  bool needs_pivot() const { return replacements_.size() > 1; }
  // What lies in a file's place before a step, as we know it.
  enum class Before { old_file, our_link };
  std::unexpected<Error> raced(size_t index) const;
  Done expect(size_t index, const std::string& at) const;
  Done expect_displaced(size_t index, const std::string& at, Before before) const;
  std::string way_to_pivot(size_t index) const;
  Done stage_one(size_t index);
  Done name_twice(size_t index, const std::string& at, const char* suffix,
                  const std::string& bytes);
  Done stage_pivot();
  Done put(size_t index, const std::string& with, Before before);
  Done put_all(const char* suffix, Before before);
  Done hand_back_late_edits();

  Files& files_;
  std::string name_;
  std::string pivot_;
  std::vector<Replacement> replacements_;
  std::vector<FileInfo> seen_;  // each file, as it was when it was staged
  // Where an interrupted swap left a link in a file's place: its target, and the file at its end.
  struct Link {
    std::string target;
    std::string real;
  };
  std::map<size_t, Link> links_;
};

// The file is a link into the pivot of a set of this name: an interrupted swap left it so.
bool leads_into(const Files& files, const std::string& path, const std::string& name);

// A real path that leads into the pivot of a set of any name: a link of an interrupted swap, of
// whosever, is on the way to it.
bool leads_into_a_swap(const std::string& real_path);

// Removes what a set of this name left and makes that durable. `whole` is all files of it: their
// numbers are their places here. Refuses while one of them is still a link into the set's pivot.
// What is not there is no error.
Done remove_leftovers(Files& files, const std::string& name, const std::vector<StagedFile>& whole);

// Where to stage a file (a real path): its own directory, or the nearest above that does not lie in
// one of those of which some server reads every file. Code::unsupported where that is on another
// file system: from there nothing can be put in its place at once.
Result<std::string> staging_directory(const Files& files, const std::string& path,
                                      const std::vector<std::string>& read_whole);

}  // namespace certrebind
