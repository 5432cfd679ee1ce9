// The files of a transaction: saves their before-images, swaps them, and restores them. Nothing
// here knows about servers.
#pragma once

#include <string>
#include <vector>

#include "state/state.h"
#include "sys/files.h"
#include "sys/replace.h"
#include "sys/safe_way.h"
#include "transaction/journal.h"
#include "transaction/planned_file.h"

namespace certrebind {

class FileSwap {
 public:
  // `files`: as the user of TransactionGoal::files_of sees them. `ours`: for the before-images.
  FileSwap(Files& files, Files& ours, State& state, Journal& journal, TransactionRow& row)
      : files_(files), ours_(ours), state_(state), journal_(journal), row_(row) {}

  // Saves the before-images (mode 0600) and stages the new files. Changes nothing that a server
  // reads.
  Done stage(const std::vector<PlannedFile>& planned);
  // After `stage`: fails if a file was changed since. Changes nothing.
  Done look_again() const;
  // Call after `stage`, in this order: see ReplaceSet.
  Done flip();
  Done settle();
  // Gives every file its before-image again, whatever state a crash or a failure left. A file that
  // holds neither the old nor the new content, or is gone, was changed by another program: it is
  // left alone and named in `foreign`.
  struct PutBack {
    std::vector<std::string> foreign;
  };
  Result<PutBack> put_back();
  // True if the restore can be tried again without loss: some file is still a link of ours, or all
  // before-images are good.
  bool may_be_put_back_later() const;
  // The directory of the before-images, for a person who wants to copy one back.
  std::string before_images() const;
  // Removes the staged files of all attempts. Call it only once the files are plain files again.
  Done clean_up();
  // Also removes the before-images, after a transaction that changed nothing.
  Done forget();
  // Removes the empty files that stood in for absent ones, if they are still empty.
  Done remove_stand_ins();

 private:
  std::string image(size_t index) const;
  std::string set_name(int number) const;
  std::vector<StagedFile> whole() const;
  Done keep_before_images(const std::vector<PlannedFile>& planned);
  Done stand_in_for_absent(const std::vector<PlannedFile>& planned);
  bool is_our_link(const std::string& path) const;
  Result<std::vector<Replacement>> replacements_back(PutBack& put_back) const;

  SafeWay safe_way() const;
  Result<Attributes> attributes_of(const std::string& path) const;

  Files& files_;
  Files& ours_;
  State& state_;
  Journal& journal_;
  TransactionRow& row_;
  std::unique_ptr<ReplaceSet> staged_;
};

// The content of a before-image. Fails if its digest is not the one in the journal.
Result<std::string> read_before_image(const Files& files, const State& state,
                                      const TransactionRow& row, size_t index);

// Removes the before-images of transactions that ended more than `keep_days` ago.
Done prune_before_images(Files& files, State& state, Journal& journal, WallTime now, int keep_days);

}  // namespace certrebind
