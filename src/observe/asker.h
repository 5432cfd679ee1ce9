// Asks what is served now. Each handshake is made once, however many parts of a command want its
// answer.
#pragma once

#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "probe/handshake.h"

namespace certrebind {

// For one look at a host: it never asks again, so a command that changes something proves that with
// handshakes of its own. Not thread-safe.
class Asker {
 public:
  // `prober` must outlive it.
  explicit Asker(const Prober& prober) : prober_(prober) {}
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  // The answers in the order of the targets; they live as long as this object. `progress` is told
  // the number of answers that are there.
  std::vector<const Result<Served>*> ask(std::span<const Target> targets,
                                         const Prober::Progress& progress = {});

 private:
  using Question = std::tuple<Address, bool, StartTls, std::string, KeyType>;

  const Prober& prober_;
  std::map<Question, Result<Served>> answers_;
};

}  // namespace certrebind
