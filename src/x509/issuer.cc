#include "x509/issuer.h"

#include <openssl/x509v3.h>

#include "x509/openssl.h"

namespace certrebind {

bool have_same_issuer(const Certificate& one, const Certificate& other) {
  X509Ptr first = x509_of(one.der);
  X509Ptr second = x509_of(other.der);
  if (!first || !second) {
    ERR_clear_error();
    return false;
  }
  if (X509_NAME_cmp(X509_get_issuer_name(first.get()), X509_get_issuer_name(second.get())) != 0)
    return false;
  const ASN1_OCTET_STRING* key = X509_get0_authority_key_id(first.get());
  const ASN1_OCTET_STRING* other_key = X509_get0_authority_key_id(second.get());
  return key == nullptr || other_key == nullptr || ASN1_OCTET_STRING_cmp(key, other_key) == 0;
}

}  // namespace certrebind
