// Owners for OpenSSL's objects, and its errors as text. For x509/ and probe/ only.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

namespace certrebind {

template <auto kFree>
struct OpensslDeleter {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
template <class T, auto kFree>
using OpensslPtr = std::unique_ptr<T, OpensslDeleter<kFree>>;

using BioPtr = OpensslPtr<BIO, BIO_free_all>;
using KeyPtr = OpensslPtr<EVP_PKEY, EVP_PKEY_free>;
using X509Ptr = OpensslPtr<X509, X509_free>;

// A BIO that reads `bytes` where they lie; they must outlive it. Null where memory ran out.
BioPtr reader_of(std::string_view bytes);

// What was written to a memory BIO, copied.
std::string text_of(BIO* written);

// The X.509 certificate at the start of `der`; null, with OpenSSL's reason in the error queue, if
// there is none. Each thread keeps the last few, and gives them out again: never change one.
X509Ptr x509_of(std::string_view der);

// OpenSSL's reason for the oldest error of this thread, "unknown reason" if it has none; the
// queue is empty afterwards. OpenSSL's reasons never contain input, so none leaks key bytes.
std::string take_openssl_reason();

}  // namespace certrebind
