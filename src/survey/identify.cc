#include "survey/identify.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "store/read_pem.h"
#include "sys/safe_way.h"
#include "x509/pem.h"
#include "x509/pkcs12.h"

namespace certrebind {

namespace {

std::unexpected<Error> unknown(const std::string& typed) {
  return fail(Code::not_found, "find the certificate", typed,
              "no certificate with this thumbprint is bound, stored, served or was seen before",
              "certrebind certificates");
}

std::unexpected<Error> ambiguous(const std::string& typed,
                                 const std::map<Thumbprint, const KnownCertificate*>& matches) {
  std::vector<std::string> lines;
  for (const auto& [thumbprint, known] : matches)
    lines.push_back(fmt::format("{} ({})", thumbprint.hex(), printable(known->outline.subject)));
  return fail(Code::usage, "find the certificate", typed,
              fmt::format("it matches {} certificates: {}", matches.size(), join(lines, ", ")),
              "type more digits");
}

// Reads the file of a known certificate, if the file still holds that certificate.
std::optional<Bundle> bundle_of(const Files& files, const KnownCertificate& known) {
  if (known.path.empty()) return std::nullopt;
  auto bundle = read_bundle(files, known.path);
  if (!bundle || bundle->leaf.outline.thumbprint != known.outline.thumbprint) return std::nullopt;
  return std::move(*bundle);
}

}  // namespace

void KnownCertificates::add(CertificateOutline outline, std::string der, std::string path,
                            std::string where) {
  known_.push_back({std::move(outline), std::move(der), std::move(path), std::move(where)});
}

void KnownCertificates::add_bound(const Survey& survey) {
  std::map<const OnDisk*, bool> done;
  auto add_one = [&](const SurveyedBinding& bound, const char* where) {
    if (bound.disk && bound.disk->certificate && !std::exchange(done[bound.disk.get()], true))
      add(*bound.disk->certificate, bound.disk->der, bound.binding.certificate.path, where);
  };
  for (const SurveyedBinding& bound : survey.bindings) add_one(bound, "bound");
  for (const SurveyedBinding& bound : survey.shadowed) add_one(bound, "shadowed");
}

void KnownCertificates::add_stored(const Files& files, const std::vector<StoreSetting>& stores) {
  for (const StoredCertificate& stored : stored_certificates(files, stores)) {
    OnDisk disk = look_at(files, stored.certificate_path);
    if (disk.certificate)
      add(std::move(*disk.certificate), std::move(disk.der), stored.certificate_path, "stored");
  }
}

void KnownCertificates::add_seen(const std::vector<Sighting>& sightings) {
  for (const Sighting& seen : sightings)
    if (auto outline = outline_of(seen.der))
      add(std::move(*outline), seen.der, seen.path, "seen before");
}

void KnownCertificates::add_served(const std::string& leaf_der) {
  if (auto outline = outline_of(leaf_der)) add(std::move(*outline), leaf_der, "", "served");
}

Result<KnownCertificate> KnownCertificates::find(const std::string& typed) const {
  auto wanted = TypedThumbprint::parse(typed);
  if (!wanted) return pass(wanted);
  std::map<Thumbprint, const KnownCertificate*> matches;
  for (const KnownCertificate& known : known_)
    if (wanted->matches(known.outline.thumbprint, known.der))
      matches.try_emplace(known.outline.thumbprint, &known);
  if (matches.empty()) return unknown(typed);
  if (matches.size() > 1) return ambiguous(typed, matches);
  return *matches.begin()->second;
}

bool is_path(const std::string& typed) {
  return typed.find('/') != std::string::npos || !TypedThumbprint::looks_like_one(typed);
}

// A hint for a file that is not a PEM file with a certificate.
std::string hint_for(const Files& files, const std::string& path, const Error& error) {
  if (error.code == Code::not_found)
    return "if you meant a thumbprint: it has at least 8 hexadecimal digits; list them with "
           "certrebind certificates";
  auto bytes = files.read(path, kPemLimit);
  if (!bytes) return "";
  if (bytes->starts_with('\x30'))  // an ASN.1 SEQUENCE
    return "this is not a PEM file; bring it into certrebind's own store, which takes every form: "
           "certrebind import " +
           shell_quoted(printable(path));
  if (bytes->find("PRIVATE KEY-----") != std::string::npos &&
      bytes->find("CERTIFICATE-----") == std::string::npos)
    return "the file holds only a private key; give the certificate, and its key with --key";
  return "";
}

Result<Bundle> read_typed(const Files& files, const std::string& path) {
  auto bundle = read_bundle(files, path);
  if (!bundle && bundle.error().hint.empty())
    bundle.error().hint = hint_for(files, path, bundle.error());
  return bundle;
}

Result<OldCertificate> identify_old(const Files& files, const KnownCertificates& known,
                                    const std::string& typed) {
  if (is_path(typed)) {
    auto bundle = read_typed(files, typed);
    if (!bundle) return pass(bundle);
    Thumbprint thumbprint = bundle->leaf.outline.thumbprint;
    return OldCertificate{.thumbprint = thumbprint, .bundle = std::move(*bundle), .has_file = true};
  }
  auto found = known.find(typed);
  if (!found) return pass(found);
  if (auto bundle = bundle_of(files, *found))
    return OldCertificate{
        .thumbprint = found->outline.thumbprint, .bundle = std::move(*bundle), .has_file = true};
  auto leaf = Certificate::parse(found->der);
  if (!leaf) return pass(leaf);
  OldCertificate old;
  old.thumbprint = found->outline.thumbprint;
  old.bundle.leaf = std::move(*leaf);
  return old;
}

// A user who can put a symlink beside a certificate could make us copy a key that he cannot read
// himself. A key in such a directory is accepted if no link leads to it.
Done not_led_away(const Files& files, const std::string& key) {
  auto real = files.real_path(key);
  if (!real || *real == normalized(key)) return {};
  return SafeWay(files).to(key);
}

namespace {

// Where the bindings of this certificate's path have their keys. A key is read with the rights of
// the server's owner: a user's configuration must not lead us to a key that he cannot read.
std::vector<std::string> named_keys(const Survey& survey, const Files& files,
                                    const std::string& path) {
  std::vector<std::string> named;
  auto real = files.real_path(path);
  for (const SurveyedBinding& bound : survey.bindings) {
    const Binding& binding = bound.binding;
    if (binding.key.path.empty() || binding.certificate.path.empty()) continue;
    if (binding.certificate.path != path) {
      auto bound_real = files.real_path(binding.certificate.path);
      if (!real || !bound_real || *real != *bound_real) continue;
    }
    if (bound.service->files().read(binding.key.path, kPemLimit)) named.push_back(binding.key.path);
  }
  return named;
}

// A server that is bound to such a file reads it; others want PEM.
Done in_a_form_for_servers(const Files& files, const Survey& survey, const std::string& path) {
  auto bytes = files.read(path, kPemLimit);
  if (!bytes || !is_pkcs12(*bytes) || !named_keys(survey, files, path).empty()) return {};
  return fail(Code::failed, "read", path, "it is a PKCS #12 file", hint_for(files, path, Error()));
}

std::string key_of(const Files& files, const Survey& survey, const std::string& path,
                   const Certificate& leaf) {
  const std::vector<std::string> named = named_keys(survey, files, path);
  for (const std::string& key : named) {
    auto pem = read_pem(files, key);
    if (pem && key_state(*pem, leaf) == KeyState::matches) return key;
  }
  if (auto beside = find_key(files, path, leaf)) return *beside;
  return named.empty() ? path : named.front();
}

}  // namespace

Result<NewCertificate> identify_new(const Files& files, const KnownCertificates& known,
                                    const std::vector<StoreSetting>& stores, const Survey& survey,
                                    const std::string& typed, const std::string& key_path) {
  std::string path = typed;
  if (!is_path(typed)) {
    auto found = known.find(typed);
    if (!found) return pass(found);
    auto place = std::ranges::find_if(known.all(), [&](const KnownCertificate& one) {
      return one.outline.thumbprint == found->outline.thumbprint && bundle_of(files, one);
    });
    if (place == known.all().end())
      return fail(Code::not_found, "bind the certificate", typed,
                  "the certificate is known, but no file holds it now",
                  "give NEW as the path of its PEM file");
    path = place->path;
  }
  auto bundle = read_typed(files, path);
  if (!bundle) return pass(bundle);
  if (Done form = in_a_form_for_servers(files, survey, path); !form) return pass(form);
  NewCertificate found;
  found.bundle = std::move(*bundle);
  found.home = store_of(files, stores, path);
  found.files = {
      .certificate = path,
      .key = key_path.empty() ? key_of(files, survey, path, found.bundle.leaf) : key_path};
  if (Done own = not_led_away(files, found.files.key); !own) return pass(own);
  auto key = read_pem(files, found.files.key);
  if (!key) return pass(key);
  found.key = tried_key_state(*key, found.bundle.leaf);
  found.key_blocks = private_key_blocks(*key);
  return found;
}

}  // namespace certrebind
