// A provider that makes OpenSSL 3.0 fast for certificates and handshakes.
//
// For every public key, so for every parsed certificate and every handshake, OpenSSL 3.0 collects
// all decoders of its providers, about a hundred, to find the one that reads this key. This takes
// some 150 µs, more than all of a handshake's arithmetic (later versions cache the result). The
// provider here has the functions of OpenSSL's default provider. But it offers only the decoders,
// key types, ciphers and digests that certificates and handshakes need, because OpenSSL goes
// through everything that is offered for every key.
#include "x509/quick_context.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace certrebind {

namespace {

// Key types in certificates. DSA and SM2 are not supported in this context.
constexpr std::array<std::string_view, 5> kCertified = {"RSA", "RSA-PSS", "EC", "ED25519", "ED448"};
// Key types that handshakes create. TLS up to 1.2 authenticates records with HMAC.
constexpr std::array<std::string_view, 4> kEphemeral = {"X25519", "X448", "DH", "HMAC"};
// Parts of the names of TLS ciphers (CBC-CTS is not used in TLS), and the cipher that OpenSSL's
// random generator uses.
constexpr std::array<std::string_view, 5> kCiphers = {"-GCM", "-CCM", "-CBC", "Poly1305",
                                                      "AES-256-CTR"};

// The first name of an algorithm; the others are aliases and numbers.
std::string_view name_of(const OSSL_ALGORITHM& algorithm) {
  std::string_view names = algorithm.algorithm_names;
  return names.substr(0, names.find(':'));
}

bool is_one_of(auto& row, std::string_view name) {
  return std::ranges::find(row, name) != row.end();
}

// The underlying provider, of OpenSSL's default context.
OSSL_PROVIDER* default_provider() {
  static OSSL_PROVIDER* const kProvider = OSSL_PROVIDER_load(nullptr, "default");
  return kProvider;
}

// Selected algorithms of the default provider in OpenSSL's format: an array that ends with an empty
// entry.
std::vector<OSSL_ALGORITHM> chosen(int operation, bool (*wanted)(const OSSL_ALGORITHM&)) {
  std::vector<OSSL_ALGORITHM> algorithms;
  int no_cache = 0;
  const OSSL_ALGORITHM* each =
      OSSL_PROVIDER_query_operation(default_provider(), operation, &no_cache);
  for (; each != nullptr && each->algorithm_names != nullptr; ++each)
    if (wanted(*each)) algorithms.push_back(*each);
  algorithms.push_back({nullptr, nullptr, nullptr, nullptr});
  return algorithms;
}

// The decoders of SubjectPublicKeyInfo in DER.
const OSSL_ALGORITHM* public_key_decoders() {
  static const auto kDecoders = chosen(OSSL_OP_DECODER, [](const OSSL_ALGORITHM& decoder) {
    std::string_view properties = decoder.property_definition;
    return is_one_of(kCertified, name_of(decoder)) &&
           properties.find("input=der") != std::string_view::npos &&
           properties.find("structure=SubjectPublicKeyInfo") != std::string_view::npos;
  });
  return kDecoders.data();
}

// The key types that certificates and handshakes use.
const OSSL_ALGORITHM* key_managers() {
  static const auto kManagers = chosen(OSSL_OP_KEYMGMT, [](const OSSL_ALGORITHM& manager) {
    std::string_view name = name_of(manager);
    return is_one_of(kCertified, name) || is_one_of(kEphemeral, name);
  });
  return kManagers.data();
}

const OSSL_ALGORITHM* ciphers() {
  static const auto kChosen = chosen(OSSL_OP_CIPHER, [](const OSSL_ALGORITHM& cipher) {
    std::string_view name = name_of(cipher);
    return name.find("CTS") == std::string_view::npos &&
           std::ranges::any_of(kCiphers, [&](std::string_view part) {
             return name.find(part) != std::string_view::npos;
           });
  });
  return kChosen.data();
}

// SHA1, SHA2-256, …, MD5, MD5-SHA1.
const OSSL_ALGORITHM* digests() {
  static const auto kChosen = chosen(OSSL_OP_DIGEST, [](const OSSL_ALGORITHM& digest) {
    std::string_view name = name_of(digest);
    return name.starts_with("SHA1") || name.starts_with("SHA2-") || name.starts_with("MD5");
  });
  return kChosen.data();
}

const OSSL_ALGORITHM* query(void*, int operation, int* no_cache) {
  *no_cache = 0;
  if (operation == OSSL_OP_DECODER) return public_key_decoders();
  if (operation == OSSL_OP_KEYMGMT) return key_managers();
  if (operation == OSSL_OP_CIPHER) return ciphers();
  if (operation == OSSL_OP_DIGEST) return digests();
  return OSSL_PROVIDER_query_operation(default_provider(), operation, no_cache);
}

const OSSL_PARAM* gettable_parameters(void*) {
  return OSSL_PROVIDER_gettable_params(default_provider());
}

int get_parameters(void*, OSSL_PARAM* parameters) {
  return OSSL_PROVIDER_get_params(default_provider(), parameters);
}

// TLS-GROUP: the groups that a handshake can use.
int get_capabilities(void*, const char* capability, OSSL_CALLBACK* callback, void* argument) {
  return OSSL_PROVIDER_get_capabilities(default_provider(), capability, callback, argument);
}

template <class Function>
OSSL_DISPATCH entry(int id, Function function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

// Returns the default provider's context, because its functions are called with it.
int start(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** functions,
          void** context) {
  static const OSSL_DISPATCH kFunctions[] = {
      entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
      entry(OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, gettable_parameters),
      entry(OSSL_FUNC_PROVIDER_GET_PARAMS, get_parameters),
      entry(OSSL_FUNC_PROVIDER_GET_CAPABILITIES, get_capabilities),
      {0, nullptr},
  };
  *functions = kFunctions;
  *context = OSSL_PROVIDER_get0_provider_ctx(default_provider());
  return 1;
}

OSSL_LIB_CTX* make_context() {
  OSSL_LIB_CTX* context = OSSL_LIB_CTX_new();
  bool made = context != nullptr && default_provider() != nullptr &&
              OSSL_PROVIDER_add_builtin(context, "certrebind", start) == 1 &&
              OSSL_PROVIDER_load(context, "certrebind") != nullptr;
  if (made) return context;
  ERR_clear_error();
  OSSL_LIB_CTX_free(context);
  return nullptr;
}

}  // namespace

OSSL_LIB_CTX* quick_context() {
  static OSSL_LIB_CTX* const kContext = make_context();
  return kContext;
}

}  // namespace certrebind
