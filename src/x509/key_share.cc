#include "x509/key_share.h"

namespace certrebind {

namespace {

constexpr int kHandshakes = 256;  // with one key

// The provider's own functions.
struct KeyFunctions {
  OSSL_FUNC_keymgmt_gen_init_fn* begin = nullptr;
  OSSL_FUNC_keymgmt_gen_fn* generate = nullptr;
  OSSL_FUNC_keymgmt_dup_fn* copy = nullptr;
  OSSL_FUNC_keymgmt_free_fn* free = nullptr;
};
KeyFunctions g_original;

// A thread's key.
class KeptKey {
 public:
  KeptKey() = default;
  KeptKey(const KeptKey&) = delete;
  KeptKey& operator=(const KeptKey&) = delete;
  ~KeptKey() { drop(); }

  void* copy(void* generation, OSSL_CALLBACK* callback, void* argument) {
    if (left_ == 0) {
      drop();
      key_ = g_original.generate(generation, callback, argument);
      if (key_ == nullptr) return nullptr;
      left_ = kHandshakes;
    }
    --left_;
    return g_original.copy(key_, OSSL_KEYMGMT_SELECT_ALL);
  }

 private:
  void drop() {
    if (key_ != nullptr) g_original.free(key_);
    key_ = nullptr;
  }

  void* key_ = nullptr;
  int left_ = 0;
};

// OpenSSL also generates keys that are empty but for their parameters, to put another's public key
// into. Which of the two is wanted is said when a generation begins.
thread_local bool t_wants_pair = false;

void* begin(void* provider, int selection, const OSSL_PARAM parameters[]) {
  t_wants_pair = (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
  return g_original.begin(provider, selection, parameters);
}

void* generate(void* generation, OSSL_CALLBACK* callback, void* argument) {
  thread_local KeptKey kept;
  return t_wants_pair ? kept.copy(generation, callback, argument)
                      : g_original.generate(generation, callback, argument);
}

template <class Function>
void take(const OSSL_DISPATCH& entry, Function*& function) {
  function = reinterpret_cast<Function*>(entry.function);
}

KeyFunctions functions_in(const std::vector<OSSL_DISPATCH>& entries) {
  KeyFunctions functions;
  for (const OSSL_DISPATCH& entry : entries) {
    if (entry.function_id == OSSL_FUNC_KEYMGMT_GEN_INIT) take(entry, functions.begin);
    if (entry.function_id == OSSL_FUNC_KEYMGMT_GEN) take(entry, functions.generate);
    if (entry.function_id == OSSL_FUNC_KEYMGMT_DUP) take(entry, functions.copy);
    if (entry.function_id == OSSL_FUNC_KEYMGMT_FREE) take(entry, functions.free);
  }
  return functions;
}

}  // namespace

std::vector<OSSL_DISPATCH> sharing_keys(const OSSL_DISPATCH* functions) {
  std::vector<OSSL_DISPATCH> entries;
  for (; functions->function_id != 0; ++functions) entries.push_back(*functions);
  entries.push_back({0, nullptr});
  KeyFunctions found = functions_in(entries);
  if (!found.begin || !found.generate || !found.copy || !found.free) return entries;
  g_original = found;
  for (OSSL_DISPATCH& entry : entries) {
    if (entry.function_id == OSSL_FUNC_KEYMGMT_GEN_INIT)
      entry.function = reinterpret_cast<void (*)()>(&begin);
    if (entry.function_id == OSSL_FUNC_KEYMGMT_GEN)
      entry.function = reinterpret_cast<void (*)()>(&generate);
  }
  return entries;
}

}  // namespace certrebind
