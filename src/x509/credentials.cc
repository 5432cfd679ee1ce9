// The steps: `collect` takes every certificate and key out of the file, whatever its form;
// `find_leaf` chooses the certificate that is the server's; `order` follows the signatures upwards
// from it. The order in the file says nothing.
#include "x509/credentials.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "x509/key.h"
#include "x509/pem.h"
#include "x509/pkcs12.h"
#include "x509/pkcs7.h"
#include "x509/private_key.h"

namespace certrebind {

namespace {

// A CA's bundle of everything has some 150 roots. Each may be compared with each.
constexpr size_t kMostCertificates = 200;
constexpr size_t kMostKeys = 20;
// CAs issue for 100 or so. Names are compared with each other, and printed.
constexpr size_t kMostNames = 2000;

std::unexpected<Error> not_usable(std::string cause, std::string hint = {}) {
  return fail(Code::failed, "use", "the file", std::move(cause), std::move(hint));
}

// What was found, without order. Keys are PKCS #8 in PEM.
struct Found {
  std::vector<Certificate> certificates;
  std::vector<std::string> keys;

  Done add_certificate(std::string_view der) {
    if (certificates.size() == kMostCertificates)
      return not_usable(fmt::format("it holds more than {} certificates", kMostCertificates));
    auto certificate = Certificate::parse(der);
    if (!certificate)
      return not_usable(fmt::format("certificate {} of it cannot be read: {}",
                                    certificates.size() + 1, certificate.error().cause));
    auto is_same = [&](const Certificate& each) { return each.der == certificate->der; };
    if (std::ranges::none_of(certificates, is_same))
      certificates.push_back(std::move(*certificate));
    return {};
  }
  Done add_certificates(const std::vector<std::string>& ders) {
    for (const std::string& der : ders)
      if (Done added = add_certificate(der); !added) return added;
    return {};
  }
  Done add_key(Result<std::string> pem) {
    if (!pem) return pass(pem);
    if (keys.size() == kMostKeys)
      return not_usable(fmt::format("it holds more than {} keys", kMostKeys));
    if (std::ranges::find(keys, *pem) == keys.end()) keys.push_back(std::move(*pem));
    return {};
  }
};

Done collect_pkcs7(std::string_view der, Found& found) {
  auto certificates = certificates_of_pkcs7(der);
  if (!certificates) return not_usable("its PKCS #7 part is damaged");
  return found.add_certificates(*certificates);
}

Done collect_pem(std::string_view text, const Secret* password, Found& found) {
  const std::vector<PemBlock> blocks = pem_blocks(text);
  if (blocks.empty()) return not_usable("it begins a PEM block that does not end");
  for (const PemBlock& block : blocks) {
    if (block.is_private_key()) {
      if (Done added = found.add_key(plain_key_of_pem(block.whole, password)); !added) return added;
      continue;
    }
    const bool is_pkcs7 = block.label == "PKCS7" || block.label == "CMS";
    if (!block.is_certificate() && !is_pkcs7) continue;
    auto der = pem_decode(block);
    if (!der) return not_usable(der.error().cause);
    Done added = is_pkcs7 ? collect_pkcs7(*der, found) : found.add_certificate(*der);
    if (!added) return added;
  }
  return {};
}

Done collect(std::string_view file, const Secret* password, Found& found) {
  if (file.find("-----BEGIN ") != std::string_view::npos) return collect_pem(file, password, found);
  if (is_pkcs12(file)) {
    auto content = read_pkcs12(file, password);
    if (!content) return pass(content);
    for (std::string& key : content->keys)
      if (Done added = found.add_key(std::move(key)); !added) return added;
    return found.add_certificates(content->certificates);
  }
  if (auto certificates = certificates_of_pkcs7(file)) return found.add_certificates(*certificates);
  if (outline_of(file)) return found.add_certificate(file);
  return not_usable(file.empty() ? "it is empty" : "it is neither PEM, DER, PKCS #7 nor PKCS #12",
                    "give the file as the CA sent it");
}

Done collect_key(std::string_view file, const Secret* password, Found& found) {
  found.keys.clear();  // the one that a person names counts
  if (file.find("-----BEGIN ") == std::string_view::npos)
    return found.add_key(plain_key_of_der(file, password));
  for (const PemBlock& block : pem_blocks(file))
    if (block.is_private_key())
      if (Done added = found.add_key(plain_key_of_pem(block.whole, password)); !added) return added;
  if (found.keys.size() == 1) return {};
  return not_usable(found.keys.empty() ? "the file of the key holds no key"
                                       : "the file of the key holds several");
}

std::string subjects_of(const Found& found, const std::vector<size_t>& chosen) {
  std::vector<std::string> subjects;
  for (size_t index : chosen) subjects.push_back(printable(found.certificates[index].subject_line));
  return few_of(subjects, 3);
}

std::vector<size_t> those(const Found& found, auto&& wanted) {
  std::vector<size_t> chosen;
  for (size_t i = 0; i < found.certificates.size(); ++i)
    if (wanted(found.certificates[i])) chosen.push_back(i);
  return chosen;
}

bool has_issued_another(const Found& found, const Certificate& one) {
  return std::ranges::any_of(found.certificates, [&](const Certificate& each) {
    return each.der != one.der && each.is_signed_by(one);
  });
}

// The certificate that has its key there; else the only one that is no CA; else the lowest CA,
// which preflight refuses with the reason.
Result<size_t> find_leaf(const Found& found) {
  if (found.certificates.empty())
    return not_usable(
        found.keys.empty() ? "there is no certificate in it" : "it holds a key, but no certificate",
        "give the certificate, and its key with --key");
  std::vector<size_t> leaves = those(found, [&](const Certificate& each) {
    return std::ranges::any_of(found.keys, [&](const std::string& key) {
      return key_state(key, each) == KeyState::matches;
    });
  });
  if (leaves.size() > 1)
    return not_usable(fmt::format("it holds {} certificates with their keys: {}", leaves.size(),
                                  subjects_of(found, leaves)),
                      "export one certificate with its key at a time");
  if (leaves.empty()) leaves = those(found, [](const Certificate& each) { return !each.is_ca; });
  if (leaves.size() > 1)
    return not_usable(
        fmt::format("it holds several certificates that are no CA: {}", subjects_of(found, leaves)),
        "name the key of the one that is meant: --key FILE");
  if (leaves.empty())
    leaves =
        those(found, [&](const Certificate& each) { return !has_issued_another(found, each); });
  return leaves.empty() ? 0 : leaves.front();
}

// The certificate that signed `below`, out of `rest`. A CA may be there with an old certificate
// too: the one that lasts longest is taken. A root is taken only if there is no other.
std::vector<Certificate>::iterator issuer_in(std::vector<Certificate>& rest,
                                             const Certificate& below) {
  auto best = rest.end();
  auto rank = [](const Certificate& each) {
    return std::pair(!each.outline.self_issued, each.outline.not_after);
  };
  for (auto each = rest.begin(); each != rest.end(); ++each)
    if (below.is_signed_by(*each) && (best == rest.end() || rank(*each) > rank(*best))) best = each;
  return best;
}

Credentials order(std::vector<Certificate> rest, size_t leaf) {
  Credentials ordered;
  ordered.bundle.leaf = std::move(rest[leaf]);
  rest.erase(rest.begin() + static_cast<ptrdiff_t>(leaf));
  Certificate below = ordered.bundle.leaf;
  while (!below.is_self_signed()) {
    auto above = issuer_in(rest, below);
    if (above == rest.end()) break;
    below = *above;
    rest.erase(above);
    ordered.has_root = below.is_self_signed();
    if (!ordered.has_root) ordered.bundle.chain.push_back(below);
  }
  ordered.unrelated = rest.size();
  return ordered;
}

std::string key_for(const Found& found, const Certificate& leaf) {
  for (const std::string& key : found.keys)
    if (key_state(key, leaf) == KeyState::matches) return key;
  return found.keys.empty() ? "" : found.keys.front();
}

}  // namespace

std::string Credentials::chain_pem() const {
  std::string pem;
  for (const Certificate& above : bundle.chain) pem += pem_encode_certificate(above.der);
  return pem;
}

Result<Credentials> read_credentials(std::string_view file, std::string_view key_file,
                                     const Secret* password) {
  Found found;
  if (Done collected = collect(file, password, found); !collected) return pass(collected);
  if (!key_file.empty())
    if (Done collected = collect_key(key_file, password, found); !collected) return pass(collected);
  auto leaf = find_leaf(found);
  if (!leaf) return pass(leaf);
  if (found.certificates[*leaf].outline.names.size() > kMostNames)
    return not_usable(fmt::format("the certificate has more than {} names", kMostNames));
  Credentials credentials = order(std::move(found.certificates), *leaf);
  credentials.key_pem = key_for(found, credentials.bundle.leaf);
  return credentials;
}

}  // namespace certrebind
