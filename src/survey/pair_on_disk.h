// The files of a binding: certificate, key and chain. The survey reads only the leaf; here is the
// rest, for whoever judges a binding by what its files hold.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "sys/files.h"
#include "x509/bundle.h"
#include "x509/key.h"

namespace certrebind {

struct Binding;
struct SurveyedBinding;

// Reads each file when it is first asked for, with the rights of the server's owner, and remembers
// what was asked for. The binding must outlive this object.
class PairOnDisk {
 public:
  explicit PairOnDisk(const SurveyedBinding& bound) : bound_(bound) {}

  // The leaf that the survey found. Null if there is none, or if it cannot be parsed.
  const Certificate* leaf();
  // The certificate file. An error names the file.
  const Result<Bundle>& bundle();
  // The certificates that the server sends after the leaf. Some servers read them from a separate
  // file, whatever follows the leaf. Empty if that file cannot be read.
  const std::vector<Certificate>& chain();
  // Whether the key is that of the leaf; as key_state and tried_key_state. An error if the key
  // cannot be read.
  Result<KeyState> key() const;
  const Result<KeyState>& tried_key();

 private:
  const SurveyedBinding& bound_;
  std::optional<Result<Certificate>> leaf_;
  std::optional<Result<Bundle>> bundle_;
  std::optional<std::vector<Certificate>> chain_;
  std::optional<Result<KeyState>> tried_key_;
};

// True if a server can load a key in this state: it matches, or only the server can open it.
bool is_usable(KeyState key, const Binding& binding);

// One PairOnDisk for each pair of files: thousands of sites may share one. This is for the few
// pairs of a plan. Parsed chains are large, so whoever goes through all pairs of a host makes a
// PairOnDisk of his own for each.
class PairsOnDisk {
 public:
  PairOnDisk& of(const SurveyedBinding& bound);

 private:
  // By owner, and by the paths of certificate, key and chain.
  std::map<std::tuple<const Files*, std::string, std::string, std::string>, PairOnDisk> known_;
};

}  // namespace certrebind
