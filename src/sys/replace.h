// Replaces a set of files as a unit. At every instant, and after a crash at any instant, a reader
// finds all files old or all files new.
//
// rename(2) is atomic for one file only. Between the rename of a certificate and that of its key,
// the two do not match for an instant. A server that reads them per connection, or that boots after
// a power failure, can read in this instant. So a set of two or more files goes through a pivot:
//
//   1. Each file F is exchanged for a symbolic link F -> pivot/now/N. `now` is a link to `old`,
//      where N leads to the old content. Readers see no change.
//   2. A rename replaces the link `now` by one to `new`. In this one instant all files change.
//   3. Each link F is exchanged for the plain new file. Again readers see no change: `new/N` is a
//      second name of that file, for readers that are resolving the pivot just then.
//
// One file needs no pivot: it is exchanged for the new one. RENAME_EXCHANGE also returns the
// displaced file. So an edit that somebody else made at the last moment is detected and put back.
// If the file system lacks RENAME_EXCHANGE, the file is compared just before a plain rename.
//
// The pivot is in the staging directory of the first file. Links are relative, so they also work
// inside a chroot. All temporary files are named ".certrebind-NAME…", which no server's wildcard
// include matches. If a server reads every file of a directory, whatever its name, files in it are
// staged above that directory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sys/files.h"

namespace certrebind {

// A file to be replaced, and the directory for its temporary files. Both are real paths on one file
// system.
struct StagedFile {
  std::string path;
  std::string staging;
};

struct Replacement {
  size_t number = 0;      // index of the file in the whole set; names the staged files
  std::string path;       // a real path: links in it already resolved
  std::string staging;    // as in StagedFile
  std::string expected;   // the current content; anything else is a race
  std::string bytes;      // the new content
  Attributes attributes;  // of the new file: copied from the file that it replaces
};

class ReplaceSet {
 public:
  // `name` must be unique for ever: leftovers of different sets must never collide.
  // `pivot_directory` is the staging directory of the first file of the whole set.
  ReplaceSet(Files& files, std::string name, const std::string& pivot_directory,
             std::vector<Replacement> replacements);

  // Does everything that can fail: space, permissions, comparison with the expected content.
  // Changes no file; the staged files are durable. An error if a file does not have its expected
  // content.
  Done stage();

  // Call after a successful stage and before the swap. An error if a file changed since then.
  // Cheap, because it compares inode, size and mtime only: `swap` compares the content.
  Done look_again() const;

  // Call after a successful stage. An error if a file was changed meanwhile, at whatever step; that
  // file keeps the other program's change. After any failure readers see every other file all old
  // or all new, perhaps through links. Then set the wanted content with another ReplaceSet and call
  // remove_leftovers.
  Done swap() {
    Done flipped = flip();
    return flipped ? settle() : flipped;
  }
  // The two halves of `swap`. After `flip` every reader finds the new files, perhaps through links.
  // The second half, which is half of the work, makes them plain files.
  Done flip();
  Done settle();

 private:
  std::string beside(size_t index, const char* suffix) const;
  bool needs_pivot() const { return replacements_.size() > 1; }
  // The expected entry at a file's path before a step.
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
  std::vector<FileInfo> seen_;  // the state of each file when it was staged
  // A link that an interrupted swap left at a file's path: its target, and the file to which it
  // leads.
  struct Link {
    std::string target;
    std::string real;
  };
  std::map<size_t, Link> links_;
};

// True if the file is a link into the pivot of a set of this name, left by an interrupted swap.
bool leads_into(const Files& files, const std::string& path, const std::string& name);

// True if a real path leads through a link of any interrupted swap, whatever its set.
bool leads_into_a_swap(const std::string& real_path);

// Removes the leftovers of a set of this name, durably. `whole` lists all files of the set: a
// file's index is its number. Refuses while one of them is still a link into the set's pivot.
// Missing leftovers are no error.
Done remove_leftovers(Files& files, const std::string& name, const std::vector<StagedFile>& whole);

// The staging directory of a file (a real path): its own directory, or the nearest one above it
// that is outside all directories in which a server reads every file. Code::unsupported if that is
// on another file system, because a rename from there is impossible.
Result<std::string> staging_directory(const Files& files, const std::string& path,
                                      const std::vector<std::string>& read_whole);

}  // namespace certrebind
