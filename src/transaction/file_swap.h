// The files of a transaction: their before-images, the swap, and putting back. Nothing here knows
// of servers.
#pragma once

#include <string>
#include <vector>

#include "state/state.h"
#include "sys/files.h"
#include "sys/replace.h"
#include "transaction/journal.h"
#include "transaction/planned_file.h"

namespace certrebind {

class FileSwap {
 public:
  FileSwap(Files& files, State& state, Journal& journal, TransactionRow& row)
      : files_(files), state_(state), journal_(journal), row_(row) {}

  // Keeps the before-images (0600) and stages the new files. Changes nothing that a server reads.
  Done stage(const std::vector<PlannedFile>& planned);
  // After `stage`: An error if a file was changed since. Changes nothing.
  Done look_again() const;
  // After `stage`; and then `settle`: see ReplaceSet.
  Done flip();
  Done settle();
  // Makes every file what its before-image says, from whatever a crash or a failure left. Files
  // that hold neither old nor new, or are gone, belong to somebody else by now: they are left alone
  // and named in `foreign`.
  struct PutBack {
    std::vector<std::string> foreign;
  };
  Result<PutBack> put_back();
  // Nothing is lost if it is tried again: some file is a link of ours still, or all before-images
  // are good.
  bool may_be_put_back_later() const;
  // Where the before-images lie, for a person to take one from.
  std::string before_images() const;
  // Removes what was staged, in all attempts. Only after the files are plain again.
  Done clean_up();
  // Removes the before-images too: for a transaction that changed nothing.
  Done forget();
  // What stood in for absent files, and is empty still.
  Done remove_stand_ins();

 private:
  std::string image(size_t index) const;
  std::string set_name(int number) const;
  std::vector<StagedFile> whole() const;
  Done keep_before_images(const std::vector<PlannedFile>& planned);
  Done stand_in_for_absent(const std::vector<PlannedFile>& planned);
  bool is_our_link(const std::string& path) const;
  Result<std::vector<Replacement>> replacements_back(PutBack& put_back) const;

  Files& files_;
  State& state_;
  Journal& journal_;
  TransactionRow& row_;
  std::unique_ptr<ReplaceSet> staged_;
};

// The content of a before-image; its digest must be what the journal says.
Result<std::string> read_before_image(const Files& files, const State& state,
                                      const TransactionRow& row, size_t index);

// Removes the before-images of transactions that ended more than `keep_days` ago.
Done prune_before_images(Files& files, State& state, Journal& journal, WallTime now, int keep_days);

}  // namespace certrebind
