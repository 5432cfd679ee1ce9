// Owning pointers for OpenSSL's objects, and OpenSSL's errors as text. For x509/ and probe/ only.
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

// A BIO that reads `bytes` in place; they must outlive it. Null if out of memory.
BioPtr reader_of(std::string_view bytes);

// A copy of the content of a memory BIO.
std::string text_of(BIO* written);

// The X.509 certificate at the start of `der`. Null if there is none; OpenSSL's error queue then
// holds the reason. Each thread caches the last few certificates and returns them again, so never
// modify one.
X509Ptr x509_of(std::string_view der);

// OpenSSL's reason for the oldest error of this thread, or "unknown reason". Empties the error
// queue. OpenSSL's reasons never contain input, so they never leak key bytes.
std::string take_openssl_reason();

}  // namespace certrebind
