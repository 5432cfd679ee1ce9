#include "transaction/key_pairs.h"

#include <fmt/format.h>

#include <set>

#include "base/parallel.h"
#include "base/text.h"
#include "store/read_pem.h"
#include "x509/key.h"
#include "x509/pem.h"

namespace certrebind {

namespace {

// Why the pair cannot be loaded; empty if it can.
std::string problem_of(const Files& files, const std::string& certificate, const std::string& key) {
  auto pem = read_pem(files, certificate);
  if (!pem)
    return fmt::format("the certificate {} cannot be read: {}", certificate, pem.error().cause);
  auto block = first_certificate_block(*pem);
  if (!block) return fmt::format("{}: {}", certificate, why_no_certificate(*pem));
  auto der = pem_decode(*block);
  auto key_pem = key == certificate ? pem : read_pem(files, key);
  if (!key_pem) return fmt::format("the key {} cannot be read: {}", key, key_pem.error().cause);
  KeyState state = der ? key_state(*key_pem, *der) : KeyState::none;
  if (state == KeyState::matches) return {};
  // Parse the whole certificate only to explain an error: there may be thousands.
  auto leaf = der ? Certificate::parse(*der) : Result<Certificate>(pass(der));
  if (!leaf)
    return fmt::format("the certificate {} cannot be read: {}", certificate, leaf.error().cause);
  if (state == KeyState::encrypted) return {};
  return fmt::format("the key {} {}", key, to_text(state));
}

}  // namespace

std::string BrokenPair::text() const {
  return fmt::format("{} ({}): {}", printable(site), where.text(), printable(why));
}

std::string encrypted_key_of(const Files& files, const std::vector<Binding>& bindings) {
  for (const Binding& binding : bindings) {
    if (!binding.has_passphrase || binding.key.path.empty()) continue;
    auto pem = files.read(binding.key.path, kPemLimit);
    if (pem && key_state(*pem, std::string_view()) == KeyState::encrypted) return binding.key.path;
  }
  return "";
}

std::vector<BrokenPair> broken_pairs(const Files& files,
                                     const std::vector<const Binding*>& bindings) {
  std::vector<const Binding*> to_do;
  std::set<std::pair<std::string_view, std::string_view>> known;
  for (const Binding* binding : bindings)
    if (!binding->certificate.path.empty() && !binding->key.path.empty() &&
        known.emplace(binding->certificate.path, binding->key.path).second)
      to_do.push_back(binding);
  std::vector<std::string> problems(to_do.size());
  for_each_index(to_do.size(), std::thread::hardware_concurrency(), [&](size_t index) {
    problems[index] = problem_of(files, to_do[index]->certificate.path, to_do[index]->key.path);
  });
  std::vector<BrokenPair> broken;
  for (size_t i = 0; i < to_do.size(); ++i)
    if (!problems[i].empty())
      broken.push_back({to_do[i]->site, to_do[i]->certificate.where, std::move(problems[i])});
  return broken;
}

}  // namespace certrebind
