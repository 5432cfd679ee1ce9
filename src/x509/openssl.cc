#include "x509/openssl.h"

#include <limits>

namespace certrebind {

BioPtr reader_of(std::string_view bytes) {
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) return nullptr;
  return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string text_of(BIO* written) {
  char* data = nullptr;
  long size = BIO_get_mem_data(written, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

X509Ptr x509_of(std::string_view der) {
  const unsigned char* at = reinterpret_cast<const unsigned char*>(der.data());
  X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!certificate) ERR_clear_error();
  return certificate;
}

std::string take_openssl_reason() {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown reason";
}

}  // namespace certrebind
