#include "x509/pkcs12.h"

#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include "x509/derivation_cost.h"
#include "x509/key_form.h"
#include "x509/private_key.h"

namespace certrebind {

namespace {

constexpr int kWrittenIterations = 100'000;
// Each may take a second. Programs write one or two, and one for each key.
constexpr int kMostDerivations = 32;

using Pkcs12Ptr = OpensslPtr<PKCS12, PKCS12_free>;
using KeyInfoPtr = OpensslPtr<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

struct FreeSafes {
  void operator()(STACK_OF(PKCS7) * safes) const { sk_PKCS7_pop_free(safes, PKCS7_free); }
};
struct FreeBags {
  void operator()(STACK_OF(PKCS12_SAFEBAG) * bags) const {
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
  }
};
using SafesPtr = std::unique_ptr<STACK_OF(PKCS7), FreeSafes>;
using BagsPtr = std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), FreeBags>;

std::unexpected<Error> unreadable(std::string cause, std::string hint = {}) {
  return fail(Code::failed, "read", "the PKCS #12 file", std::move(cause), std::move(hint));
}

// The default algorithms and, if it is installed, those of the legacy provider.
OSSL_LIB_CTX* with_old_ciphers() {
  static OSSL_LIB_CTX* const kContext = [] {
    OSSL_LIB_CTX* context = OSSL_LIB_CTX_new();
    OSSL_PROVIDER_load(context, "default");
    OSSL_PROVIDER_load(context, "legacy");
    ERR_clear_error();
    return context;
  }();
  return kContext;
}

// A password for OpenSSL. "No password" and "an empty password" give different keys.
struct Given {
  const char* text = nullptr;
  int size = 0;
};

// Reads the bags of one file. `content_` collects what is found.
class BagReader {
 public:
  explicit BagReader(Given password) : password_(password) {}

  Done read_all(PKCS12* file) {
    SafesPtr safes(PKCS12_unpack_authsafes(file));
    if (!safes) return unreadable(take_openssl_reason());
    for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i)
      if (Done read = read_safe(sk_PKCS7_value(safes.get(), i)); !read) return read;
    return {};
  }
  Pkcs12Content take() { return std::move(content_); }

 private:
  Done check_cost(const X509_ALGOR* algorithm) {
    if (++derivations_ > kMostDerivations) return unreadable("it has too many encrypted parts");
    return check_derivation_cost(algorithm);
  }

  Result<BagsPtr> decrypted(PKCS7* safe) {
    const PKCS7_ENC_CONTENT* encrypted = safe->d.encrypted->enc_data;
    if (encrypted == nullptr || encrypted->enc_data == nullptr)
      return unreadable("an encrypted part is empty");
    if (Done cheap = check_cost(encrypted->algorithm); !cheap) return pass(cheap);
    void* bags = PKCS12_item_decrypt_d2i_ex(encrypted->algorithm, ASN1_ITEM_rptr(PKCS12_SAFEBAGS),
                                            password_.text, password_.size, encrypted->enc_data, 1,
                                            with_old_ciphers(), nullptr);
    if (bags == nullptr) return unreadable(take_openssl_reason());
    return BagsPtr(static_cast<STACK_OF(PKCS12_SAFEBAG)*>(bags));
  }

  Done read_safe(PKCS7* safe) {
    const bool is_plain = PKCS7_type_is_data(safe) != 0;
    if (!is_plain && PKCS7_type_is_encrypted(safe) == 0) return {};
    auto bags = is_plain ? Result<BagsPtr>(BagsPtr(PKCS12_unpack_p7data(safe))) : decrypted(safe);
    if (!bags) return pass(bags);
    if (!*bags) return unreadable(take_openssl_reason());
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags->get()); ++i)
      if (Done read = read_bag(sk_PKCS12_SAFEBAG_value(bags->get(), i)); !read) return read;
    return {};
  }

  Done read_bag(PKCS12_SAFEBAG* bag) {
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
      case NID_keyBag:
        return add_key(PKCS12_SAFEBAG_get0_p8inf(bag));
      case NID_pkcs8ShroudedKeyBag:
        return add_shrouded_key(PKCS12_SAFEBAG_get0_pkcs8(bag));
      case NID_certBag:
        return add_certificate(bag);
    }
    return {};
  }

  Done add_key(const PKCS8_PRIV_KEY_INFO* info) {
    unsigned char* bytes = nullptr;
    const int size = info != nullptr ? i2d_PKCS8_PRIV_KEY_INFO(info, &bytes) : -1;
    if (size <= 0) return unreadable("a key in it cannot be read: " + take_openssl_reason());
    auto pem =
        plain_key_of_der({reinterpret_cast<char*>(bytes), static_cast<size_t>(size)}, nullptr);
    OPENSSL_clear_free(bytes, static_cast<size_t>(size));
    if (!pem) return unreadable("a key in it cannot be read: " + pem.error().cause);
    content_.keys.push_back(std::move(*pem));
    return {};
  }

  Done add_shrouded_key(const X509_SIG* shrouded) {
    if (shrouded == nullptr) return unreadable("a key in it is empty");
    const X509_ALGOR* algorithm = nullptr;
    X509_SIG_get0(shrouded, &algorithm, nullptr);
    if (Done cheap = check_cost(algorithm); !cheap) return cheap;
    KeyInfoPtr info(
        PKCS8_decrypt_ex(shrouded, password_.text, password_.size, with_old_ciphers(), nullptr));
    if (!info) return unreadable("a key in it cannot be decrypted: " + take_openssl_reason());
    return add_key(info.get());
  }

  Done add_certificate(PKCS12_SAFEBAG* bag) {
    if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate) return {};
    X509Ptr x509(PKCS12_SAFEBAG_get1_cert(bag));
    unsigned char* bytes = nullptr;
    const int size = x509 ? i2d_X509(x509.get(), &bytes) : -1;
    if (size <= 0)
      return unreadable("a certificate in it cannot be read: " + take_openssl_reason());
    content_.certificates.emplace_back(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
    OPENSSL_free(bytes);
    return {};
  }

  const Given password_;
  int derivations_ = 0;
  Pkcs12Content content_;
};

Pkcs12Ptr file_of(std::string_view der) {
  const unsigned char* at = reinterpret_cast<const unsigned char*>(der.data());
  Pkcs12Ptr file(d2i_PKCS12(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  return file;
}

Done check_cost_of_mac(const PKCS12* file) {
  const X509_ALGOR* algorithm = nullptr;
  const ASN1_INTEGER* iterations = nullptr;
  PKCS12_get0_mac(nullptr, &algorithm, nullptr, &iterations, file);
  if (algorithm == nullptr) return {};
  if (Done cheap = check_derivation_cost(algorithm); !cheap) return cheap;
  return check_iterations(iterations != nullptr ? ASN1_INTEGER_get(iterations) : 1);
}

Result<Given> checked_password(PKCS12* file, const Secret* password) {
  const bool is_empty = password == nullptr || password->text().empty();
  Given given{.text = is_empty ? "" : password->text().c_str(),
              .size = is_empty ? 0 : static_cast<int>(password->text().size())};
  if (PKCS12_mac_present(file) == 0) return given;
  if (Done cheap = check_cost_of_mac(file); !cheap) return pass(cheap);
  if (PKCS12_verify_mac(file, given.text, given.size) == 1) return given;
  if (is_empty && PKCS12_verify_mac(file, nullptr, 0) == 1) return Given{};
  ERR_clear_error();
  if (password == nullptr) return unreadable("it needs a password", "--password-from FILE");
  return unreadable("the password is wrong, or the file is damaged",
                    "check the first line of what --password-from names");
}

}  // namespace

bool is_pkcs12(std::string_view der) {
  return file_of(der) != nullptr;
}

Result<Pkcs12Content> read_pkcs12(std::string_view der, const Secret* password) {
  Pkcs12Ptr file = file_of(der);
  if (!file) return unreadable("it is damaged");
  auto given = checked_password(file.get(), password);
  if (!given) return pass(given);
  BagReader reader(*given);
  if (Done read = reader.read_all(file.get()); !read) return pass(read);
  return reader.take();
}

Result<std::string> write_pkcs12(const Bundle& bundle, const std::string& key_pem,
                                 const std::string& name, const Secret& password) {
  auto free_stack = [](STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); };
  std::unique_ptr<STACK_OF(X509), decltype(free_stack)> chain(sk_X509_new_null());
  for (const Certificate& above : bundle.chain)
    if (X509Ptr x509 = x509_of(above.der)) sk_X509_push(chain.get(), x509.release());
  // A copy, because OpenSSL writes the name into the certificate, and x509_of returns shared ones.
  X509Ptr shared = x509_of(bundle.leaf.der);
  X509Ptr leaf(shared ? X509_dup(shared.get()) : nullptr);
  KeyPtr key = key_pem.empty() ? nullptr : key_of_pem(key_pem);
  Pkcs12Ptr file(leaf ? PKCS12_create(password.text().c_str(), name.c_str(), key.get(), leaf.get(),
                                      chain.get(), NID_aes_256_cbc, NID_aes_256_cbc,
                                      kWrittenIterations, -1, 0)
                      : nullptr);
  const bool sealed = file && PKCS12_set_mac(file.get(), password.text().c_str(), -1, nullptr, 0,
                                             kWrittenIterations, EVP_sha256()) == 1;
  unsigned char* bytes = nullptr;
  const int size = sealed ? i2d_PKCS12(file.get(), &bytes) : -1;
  if (size <= 0) return fail(Code::failed, "write", "the PKCS #12 file", take_openssl_reason());
  std::string der(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

}  // namespace certrebind
