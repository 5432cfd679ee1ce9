#include "x509/request.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/text.h"
#include "sys/ip_text.h"
#include "x509/key_form.h"
#include "x509/private_key.h"

namespace certrebind {

namespace {

constexpr size_t kMostNames = 100;         // as Let's Encrypt takes them
constexpr size_t kLongestCommonName = 64;  // RFC 5280, appendix A.1: ub-common-name

using RequestPtr = OpensslPtr<X509_REQ, X509_REQ_free>;
using ExtensionPtr = OpensslPtr<X509_EXTENSION, X509_EXTENSION_free>;
using NamesPtr = OpensslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;

struct FreeExtensions {
  void operator()(STACK_OF(X509_EXTENSION) * stack) const {
    sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
  }
};
using ExtensionsPtr = std::unique_ptr<STACK_OF(X509_EXTENSION), FreeExtensions>;

std::unexpected<Error> not_made(std::string cause) {
  return fail(Code::failed, "make", "the request", std::move(cause));
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && !label.starts_with('-') && !label.ends_with('-') &&
         std::ranges::all_of(label, [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

bool is_host_name(const std::string& name) {
  std::string_view rest = name;
  if (rest.starts_with("*.")) rest.remove_prefix(2);
  return rest.size() <= 253 && std::ranges::all_of(split(rest, '.'), is_label);
}

// OpenSSL parses addresses, too; its form is the content of an iPAddress.
using AddressPtr = OpensslPtr<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
AddressPtr address_of(const std::string& name) {
  AddressPtr address(a2i_IPADDRESS(name.c_str()));
  ERR_clear_error();
  return address;
}

GENERAL_NAME* general_name(const std::string& name) {
  GENERAL_NAME* general = GENERAL_NAME_new();
  if (AddressPtr address = address_of(name)) {
    GENERAL_NAME_set0_value(general, GEN_IPADD, address.release());
    return general;
  }
  ASN1_IA5STRING* text = ASN1_IA5STRING_new();
  ASN1_STRING_set(text, name.data(), static_cast<int>(name.size()));
  GENERAL_NAME_set0_value(general, GEN_DNS, text);
  return general;
}

ExtensionPtr alternative_names(const std::vector<std::string>& names) {
  NamesPtr all(GENERAL_NAMES_new());
  for (const std::string& name : names)
    sk_GENERAL_NAME_push(all.get(), general_name(to_lower(name)));
  return ExtensionPtr(X509V3_EXT_i2d(NID_subject_alt_name, 0, all.get()));
}

// `value` is a constant of ours.
ExtensionPtr extension(int nid, const char* value) {
  return ExtensionPtr(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
}

// The extensions of a TLS server's certificate, with its names.
ExtensionsPtr extensions_for(const WantedCertificate& wanted) {
  ExtensionsPtr all(sk_X509_EXTENSION_new_null());
  const char* usage = wanted.key_type == KeyType::rsa ? "critical,digitalSignature,keyEncipherment"
                                                      : "critical,digitalSignature";
  for (ExtensionPtr& each :
       std::to_array({alternative_names(wanted.names), extension(NID_key_usage, usage),
                      extension(NID_ext_key_usage, "serverAuth"),
                      extension(NID_basic_constraints, "critical,CA:FALSE")})) {
    if (!each) return nullptr;
    sk_X509_EXTENSION_push(all.get(), each.release());
  }
  return all;
}

// "O=Example\, Inc,C=DE" into its parts, with the comma back in place.
std::vector<std::string> parts_of(const std::string& subject) {
  std::vector<std::string> parts(1);
  for (size_t i = 0; i < subject.size(); ++i) {
    const bool is_escaped = subject[i] == '\\' && i + 1 < subject.size();
    if (is_escaped) ++i;
    if (subject[i] == ',' && !is_escaped)
      parts.emplace_back();
    else
      parts.back() += subject[i];
  }
  return parts;
}

Done add_part(X509_NAME* name, const std::string& part) {
  const size_t equals = part.find('=');
  const std::string key(trim(part.substr(0, equals)));
  const std::string value(equals == std::string::npos ? "" : trim(part.substr(equals + 1)));
  const bool added = !value.empty() && X509_NAME_add_entry_by_txt(
                                           name, key.c_str(), MBSTRING_UTF8,
                                           reinterpret_cast<const unsigned char*>(value.data()),
                                           static_cast<int>(value.size()), -1, 0) == 1;
  const std::string reason = take_openssl_reason();
  if (added) return {};
  return fail(Code::usage, "use the subject", printable(part),
              value.empty() ? "it has no value" : reason,
              "as in --subject 'O=Example,L=Berlin,C=DE'");
}

// The common name is the first name: some CAs and many tables want one.
Done fill_subject(X509_NAME* name, const WantedCertificate& wanted) {
  if (!wanted.subject.empty())
    for (const std::string& part : parts_of(wanted.subject))
      if (Done added = add_part(name, part); !added) return added;
  const bool has_common_name = X509_NAME_get_index_by_NID(name, NID_commonName, -1) >= 0;
  if (has_common_name || wanted.names.front().size() > kLongestCommonName) return {};
  return add_part(name, "CN=" + to_lower(wanted.names.front()));
}

Result<std::string> pem_of_request(X509_REQ* request) {
  BioPtr out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509_REQ(out.get(), request) != 1) return not_made(take_openssl_reason());
  return text_of(out.get());
}

Result<std::string> signed_request(const WantedCertificate& wanted, EVP_PKEY* key) {
  RequestPtr request(X509_REQ_new());
  ExtensionsPtr extensions = extensions_for(wanted);
  if (!request || !extensions) return not_made(take_openssl_reason());
  if (Done filled = fill_subject(X509_REQ_get_subject_name(request.get()), wanted); !filled)
    return pass(filled);
  const bool made = X509_REQ_set_pubkey(request.get(), key) == 1 &&
                    X509_REQ_add_extensions(request.get(), extensions.get()) == 1 &&
                    X509_REQ_sign(request.get(), key, EVP_sha256()) > 0;
  if (!made) return not_made(take_openssl_reason());
  return pem_of_request(request.get());
}

// RFC 5280, section 4.1.2.2: positive, and unique for the issuer, which is the key itself.
bool set_random_serial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7F) | 0x40);
  OpensslPtr<BIGNUM, BN_free> number(BN_bin2bn(bytes, sizeof bytes, nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

time_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

Done fill_certificate(X509* certificate, const WantedCertificate& wanted, EVP_PKEY* key,
                      WallTime begin, WallTime end) {
  ExtensionsPtr extensions = extensions_for(wanted);
  X509_NAME* subject = X509_get_subject_name(certificate);
  if (!extensions) return not_made(take_openssl_reason());
  if (Done filled = fill_subject(subject, wanted); !filled) return filled;
  bool made = X509_set_version(certificate, X509_VERSION_3) == 1 &&
              set_random_serial(certificate) && X509_set_issuer_name(certificate, subject) == 1 &&
              ASN1_TIME_set(X509_getm_notBefore(certificate), seconds_of(begin)) != nullptr &&
              ASN1_TIME_set(X509_getm_notAfter(certificate), seconds_of(end)) != nullptr &&
              X509_set_pubkey(certificate, key) == 1;
  for (int i = 0; made && i < sk_X509_EXTENSION_num(extensions.get()); ++i)
    made = X509_add_ext(certificate, sk_X509_EXTENSION_value(extensions.get(), i), -1) == 1;
  if (!made || X509_sign(certificate, key, EVP_sha256()) <= 0)
    return not_made(take_openssl_reason());
  return {};
}

Result<std::string> new_key(const WantedCertificate& wanted) {
  if (Done good = check_wanted(wanted); !good) return pass(good);
  return make_private_key(wanted.key_type, wanted.key_bits);
}

}  // namespace

Done check_wanted(const WantedCertificate& wanted) {
  if (wanted.names.empty() || wanted.names.size() > kMostNames)
    return fail(Code::usage, "ask for", "a certificate",
                fmt::format("it has between 1 and {} names", kMostNames));
  for (const std::string& name : wanted.names)
    if (!is_host_name(to_lower(name)) && !address_of(name))
      return fail(Code::usage, "ask for", printable(name),
                  "it is neither a host name nor an IP address",
                  "write an internationalized name as xn--...");
  return {};
}

Result<NewRequest> make_request(const WantedCertificate& wanted) {
  auto key_pem = new_key(wanted);
  if (!key_pem) return pass(key_pem);
  KeyPtr key = key_of_pem(*key_pem);
  auto csr_pem = signed_request(wanted, key.get());
  if (!csr_pem) return pass(csr_pem);
  return NewRequest{std::move(*key_pem), std::move(*csr_pem)};
}

Result<SelfSigned> make_self_signed(const WantedCertificate& wanted, WallTime begin, WallTime end) {
  auto key_pem = new_key(wanted);
  if (!key_pem) return pass(key_pem);
  KeyPtr key = key_of_pem(*key_pem);
  X509Ptr certificate(X509_new());
  if (Done filled = fill_certificate(certificate.get(), wanted, key.get(), begin, end); !filled)
    return pass(filled);
  BioPtr out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(out.get(), certificate.get()) != 1) return not_made(take_openssl_reason());
  return SelfSigned{std::move(*key_pem), text_of(out.get())};
}

std::vector<std::string> names_in_request(const std::string& csr_pem) {
  std::vector<std::string> names;
  BioPtr in = reader_of(csr_pem);
  RequestPtr request(PEM_read_bio_X509_REQ(in.get(), nullptr, nullptr, nullptr));
  ExtensionsPtr extensions(request ? X509_REQ_get_extensions(request.get()) : nullptr);
  NamesPtr all(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    int type = 0;
    const auto* text = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all.get(), i), &type));
    const std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                            static_cast<size_t>(ASN1_STRING_length(text)));
    if (type == GEN_DNS) names.push_back(bytes);
    if (type == GEN_IPADD) names.push_back(ip_text(bytes));
  }
  ERR_clear_error();
  return names;
}

}  // namespace certrebind
