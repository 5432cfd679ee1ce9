#include "x509/pkcs7.h"

#include <openssl/pkcs7.h>

#include "x509/openssl.h"

namespace certrebind {

std::optional<std::vector<std::string>> certificates_of_pkcs7(std::string_view der) {
  const unsigned char* at = reinterpret_cast<const unsigned char*>(der.data());
  OpensslPtr<PKCS7, PKCS7_free> file(d2i_PKCS7(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!file || PKCS7_type_is_signed(file.get()) == 0 || file->d.sign == nullptr)
    return std::nullopt;
  std::vector<std::string> certificates;
  const STACK_OF(X509)* found = file->d.sign->cert;
  for (int i = 0; i < sk_X509_num(found); ++i) {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(sk_X509_value(found, i), &bytes);
    if (size <= 0) continue;
    certificates.emplace_back(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
    OPENSSL_free(bytes);
  }
  return certificates;
}

}  // namespace certrebind
