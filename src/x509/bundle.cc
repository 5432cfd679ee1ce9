#include "x509/bundle.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include <algorithm>

#include "base/text.h"
#include "x509/openssl.h"
#include "x509/pem.h"

namespace certrebind {

namespace {

std::unexpected<Error> refused(std::string cause) {
  return fail(Code::failed, "read", "certificates", std::move(cause));
}

Result<Certificate> parse_block(const PemBlock& block, size_t number) {
  auto der = pem_decode(block);
  auto certificate = der ? Certificate::parse(*der) : Result<Certificate>(pass(der));
  if (!certificate)
    return refused(
        fmt::format("certificate {} of the file: {}", number, certificate.error().cause));
  return certificate;
}

// The next PEM block from OpenSSL's reader, base64-decoded. Its memory is wiped on destruction,
// because it may be a key.
class OpensslBlock {
 public:
  explicit OpensslBlock(BIO* in) : read_(PEM_read_bio(in, &name_, &header_, &data_, &size_) == 1) {}
  OpensslBlock(const OpensslBlock&) = delete;
  OpensslBlock& operator=(const OpensslBlock&) = delete;
  ~OpensslBlock() {
    if (!read_) return;
    OPENSSL_clear_free(data_, static_cast<size_t>(size_));
    OPENSSL_free(name_);
    OPENSSL_free(header_);
  }
  bool read() const { return read_; }
  bool is_certificate() const { return PemBlock{name_, {}, {}}.is_certificate(); }
  bool begins_with(std::string_view der) const {
    return std::string_view(reinterpret_cast<char*>(data_), static_cast<size_t>(size_))
        .starts_with(der);
  }

 private:
  char* name_ = nullptr;
  char* header_ = nullptr;
  unsigned char* data_ = nullptr;
  long size_ = 0;
  bool read_;
};

// OpenSSL's reader has rules for blank lines, headers and line lengths that ours does not repeat.
// Servers use OpenSSL's reader, so a file that it reads differently, or not to its end, must not
// reach a server. Returns the problem; unset if there is none.
std::optional<std::string> openssl_objection(std::string_view pem,
                                             const std::vector<Certificate>& expected) {
  BioPtr in = reader_of(pem);
  ERR_clear_error();
  size_t found = 0;
  while (true) {
    OpensslBlock block(in.get());
    if (!block.read()) break;
    if (!block.is_certificate()) continue;
    if (found == expected.size() || !block.begins_with(expected[found].der)) break;
    ++found;
  }
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  std::string reason = take_openssl_reason();
  if (found == expected.size() && at_end) return std::nullopt;
  return fmt::format("OpenSSL stops after {} of {}: {}", found,
                     count_of(expected.size(), "certificate"), reason);
}

// The system's trusted roots, opened at first use. OpenSSL's directory is indexed by name hash, so
// unused roots are never read.
X509_STORE* system_store() {
  static X509_STORE* const kStore = [] {
    X509_STORE* store = X509_STORE_new();
    if (store != nullptr) X509_STORE_set_default_paths(store);
    return store;
  }();
  return kStore;
}

}  // namespace

Result<Bundle> Bundle::parse(std::string_view pem) {
  std::vector<Certificate> certificates;
  Bundle bundle;
  for (const PemBlock& block : pem_blocks(pem)) {
    if (block.is_private_key()) {
      bundle.has_key = true;
      bundle.key_first = bundle.key_first || certificates.empty();
    }
    if (!block.is_certificate()) continue;
    auto certificate = parse_block(block, certificates.size() + 1);
    if (!certificate) return pass(certificate);
    certificates.push_back(*std::move(certificate));
  }
  if (certificates.empty()) return refused("there is no certificate in the file");
  if (auto objection = openssl_objection(pem, certificates)) return refused(*objection);
  bundle.leaf = std::move(certificates.front());
  bundle.chain.assign(std::make_move_iterator(certificates.begin() + 1),
                      std::make_move_iterator(certificates.end()));
  return bundle;
}

std::vector<Certificate> Bundle::certificates() && {
  chain.insert(chain.begin(), std::move(leaf));
  return std::move(chain);
}

bool Bundle::leaf_not_first() const {
  auto is_leaf = [](const Certificate& certificate) { return !certificate.is_ca; };
  return leaf.is_ca && std::ranges::any_of(chain, is_leaf);
}

size_t Bundle::connected() const {
  const Certificate* below = &leaf;
  size_t count = 0;
  for (const Certificate& parent : chain) {
    if (!below->is_signed_by(parent)) break;
    below = &parent;
    ++count;
  }
  return count;
}

const Certificate& Bundle::top() const {
  size_t count = connected();
  return count == 0 ? leaf : chain[count - 1];
}

std::string Bundle::certificates_pem() const {
  std::string pem = pem_encode_certificate(leaf.der);
  for (const Certificate& certificate : chain) pem += pem_encode_certificate(certificate.der);
  return pem;
}

bool ends_in_trusted_root(const Bundle& bundle) {
  auto free_stack = [](STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); };
  std::unique_ptr<STACK_OF(X509), decltype(free_stack)> others(sk_X509_new_null());
  for (const Certificate& certificate : bundle.chain)
    if (X509Ptr x509 = x509_of(certificate.der)) sk_X509_push(others.get(), x509.release());
  X509Ptr top = x509_of(bundle.top().der);
  OpensslPtr<X509_STORE_CTX, X509_STORE_CTX_free> context(X509_STORE_CTX_new());
  bool trusted = false;
  if (top && X509_STORE_CTX_init(context.get(), system_store(), top.get(), others.get()) == 1) {
    X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_NO_CHECK_TIME);
    trusted = X509_verify_cert(context.get()) == 1;
  }
  ERR_clear_error();
  return trusted;
}

std::string private_key_blocks(std::string_view pem) {
  std::string keys;
  for (const PemBlock& block : pem_blocks(pem)) {
    if (!block.is_private_key()) continue;
    keys += block.whole;
    if (!keys.ends_with('\n')) keys += '\n';
  }
  return keys;
}

}  // namespace certrebind
