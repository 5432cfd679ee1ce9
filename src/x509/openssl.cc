#include "x509/openssl.h"

#include <array>
#include <limits>
#include <utility>

#include "x509/quick_context.h"
#include "x509/thumbprint.h"

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

namespace {

// A cache. One certificate is used several times in a row (parsed, matched with its key, its chain
// followed), and thousands of leaves share intermediates.
class RecentCertificates {
 public:
  X509* find(const Thumbprint& thumbprint) const {
    for (const auto& [key, x509] : kept_)
      if (x509 && key == thumbprint) return x509.get();
    return nullptr;
  }
  void keep(const Thumbprint& thumbprint, X509* x509) {
    X509_up_ref(x509);
    kept_[next_] = {thumbprint, X509Ptr(x509)};
    next_ = (next_ + 1) % kept_.size();
  }

 private:
  std::array<std::pair<Thumbprint, X509Ptr>, 16> kept_;
  size_t next_ = 0;
};

}  // namespace

X509Ptr x509_of(std::string_view der) {
  thread_local RecentCertificates recent;
  Thumbprint thumbprint = Thumbprint::of_der(der);
  if (X509* found = recent.find(thumbprint)) {
    X509_up_ref(found);
    return X509Ptr(found);
  }
  const unsigned char* at = reinterpret_cast<const unsigned char*>(der.data());
  X509* certificate = X509_new_ex(quick_context(), nullptr);
  // On failure d2i_X509 frees the certificate and clears the pointer.
  if (d2i_X509(&certificate, &at, static_cast<long>(der.size())) == nullptr) return nullptr;
  recent.keep(thumbprint, certificate);
  return X509Ptr(certificate);
}

std::string take_openssl_reason() {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown reason";
}

}  // namespace certrebind
