#include "plan/file_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/secret.h"
#include "base/text.h"
#include "store/read_pem.h"
#include "x509/pem.h"
#include "x509/pkcs12.h"

namespace certrebind {

namespace {

constexpr uint32_t kOthers = 0077;  // permission bits of everyone but the owner

// Copies the blocks that are neither certificate nor key.
std::string other_blocks(std::string_view pem) {
  std::string kept;
  for (const PemBlock& block : pem_blocks(pem)) {
    if (block.is_certificate() || block.is_private_key() || block.label == "EC PARAMETERS")
      continue;
    kept += block.whole;
    if (!kept.ends_with('\n')) kept += '\n';
  }
  return kept;
}

ptrdiff_t certificates_in(std::string_view pem) {
  return std::ranges::count_if(pem_blocks(pem), &PemBlock::is_certificate);
}

bool key_comes_first(std::string_view pem) {
  for (const PemBlock& block : pem_blocks(pem)) {
    if (block.is_private_key()) return true;
    if (block.is_certificate()) return false;
  }
  return false;
}

// `leaf_only`: the intermediates have their own file.
std::string certificate_file(const std::string& before, const NewCertificate& new_one,
                             bool with_key, bool leaf_only) {
  const Bundle& bundle = new_one.bundle;
  std::string certificates =
      leaf_only ? pem_encode_certificate(bundle.leaf.der) : bundle.certificates_pem();
  std::string key = with_key ? new_one.key_blocks : "";
  std::string rest = other_blocks(before);
  return key_comes_first(before) ? key + certificates + rest : certificates + key + rest;
}

std::string without_keys(std::string_view pem) {
  std::string rest;
  for (const PemBlock& block : pem_blocks(pem))
    if (!block.is_private_key()) rest.append(block.whole) += '\n';
  return rest;
}

std::string in_lines(std::string text) {
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

// The kept certificate, in the form of a file with its key (`combined`) or without.
std::string kept_certificate(const KeptPair& pair, bool combined) {
  const bool holds_key = !private_key_blocks(pair.certificate).empty();
  if (!combined && pair.key.empty()) return without_keys(pair.certificate);
  if (!combined || holds_key) return pair.certificate;
  return in_lines(pair.certificate) + pair.key;
}

// Appends intermediates that were kept as a separate file, if the binding has no file for them now.
std::string with_chain(std::string certificate, const Binding& binding, const KeptPair& pair) {
  if (pair.chain.empty() || !binding.chain.path.empty()) return certificate;
  return in_lines(std::move(certificate)) + pair.chain;
}

bool holds(const std::string& pem, const Thumbprint& thumbprint) {
  auto block = first_certificate_block(pem);
  auto der = block ? pem_decode(*block) : Result<std::string>();
  return der && Thumbprint::of_der(*der) == thumbprint;
}

std::string brief_of(const NewCertificate& new_one) {
  return new_one.bundle.leaf.outline.thumbprint.brief();
}

// The content of a companion file for NEW; nothing if it may stay unchanged.
std::optional<std::string> companion_of(const Companion& companion, const std::string& before,
                                        const NewCertificate& new_one) {
  switch (companion.kind) {
    case Companion::Kind::ocsp_response:
      return std::string();
    case Companion::Kind::timestamps:
      return std::string(2, '\0');  // an empty list: only its length, two bytes
    case Companion::Kind::issuer:
      break;
  }
  if (new_one.bundle.chain.empty()) return std::nullopt;
  const std::string& issuer = new_one.bundle.chain.front().der;
  auto block = first_certificate_block(before);
  auto der = block ? pem_decode(*block) : Result<std::string>();
  if (der && *der == issuer) return std::nullopt;
  return pem_encode_certificate(issuer);
}

// The name of what is emptied, if it is: nobody has one for NEW yet.
std::string emptied(Companion::Kind kind) {
  if (kind == Companion::Kind::ocsp_response) return "OCSP response";
  if (kind == Companion::Kind::timestamps) return "list of certificate timestamps";
  return "";
}

}  // namespace

Done FileSet::edit(const std::vector<FileEdit>& edits) {
  for (const FileEdit& edit : edits) {
    auto [known, is_new] = edits_[edit.where.file].try_emplace(edit.where.begin, edit);
    if (is_new) continue;
    if (known->second.where.end != edit.where.end || known->second.replacement != edit.replacement)
      return fail(Code::failed, "edit", edit.where.text(),
                  "two bindings need different values in the same directive",
                  "use --rewrite, or give each site its own directive");
  }
  return {};
}

// Restricts a file that others may read and that now gets a private key.
Done FileSet::keep_key_to_its_owner(PlannedFile& file) const {
  if (file.is_absent || private_key_blocks(file.after).empty() ||
      !private_key_blocks(file.before).empty() || is_pkcs12(file.before))
    return {};
  auto attributes = files_.attributes(file.path);
  if (!attributes) return pass(attributes);
  if (attributes->extended.contains(kAccessAcl))
    return fail(Code::unsupported, "put a private key into", file.path,
                "the file had none before, and an ACL lets other users read it",
                "setfacl -b " + file.path);
  if ((attributes->mode & kOthers) == 0) return {};
  file.mode = {attributes->mode, attributes->mode & ~kOthers};
  file.note = fmt::format("{} gets a private key and had none before: its mode becomes {:04o}",
                          printable(file.path), file.mode->after);
  return {};
}

Done FileSet::put(PlannedFile file) {
  if (Done kept = keep_key_to_its_owner(file); !kept) return kept;
  auto [known, is_new] = rewritten_.try_emplace(file.path, file);
  if (is_new || known->second.after == file.after) return {};
  return fail(Code::failed, "rewrite", file.path,
              "two bindings need different content in this file", "use --repoint");
}

namespace {

// If another program has written half of a pair, we must not complete it with half of ours. And if
// the key does not match the certificate, the server reads its key from somewhere that we do not
// know.
Done is_a_pair(const std::string& certificate, const std::string& certificate_pem,
               const std::string& key, const std::string& key_pem) {
  auto bundle = Bundle::parse(certificate_pem);
  if (!bundle) return {};  // there is no certificate to match
  const KeyState state = key_state(key_pem, bundle->leaf);
  if (state == KeyState::matches || state == KeyState::damaged || state == KeyState::encrypted)
    return {};
  return fail(
      Code::failed, "rewrite", certificate,
      fmt::format("the key in {} {}; a renewal may have written only one of the two files", key,
                  to_text(state)),
      "wait until both files are written, or restore the last proven pair: certrebind restore " +
          shell_quoted(certificate));
}

}  // namespace

Done FileSet::rewrite(const Binding& binding, const NewCertificate& new_one,
                      const Thumbprint* expected) {
  auto certificate = way_.real_path(binding.certificate.path);
  if (!certificate) return pass(certificate);
  auto key = way_.real_path(binding.key.path);
  if (!key) return pass(key);
  auto raw = files_.read(*certificate, kPemLimit);
  auto before = read_pem(files_, *certificate);
  if (!raw) return pass(raw);
  if (!before) return pass(before);
  // PKCS #12 keeps what is above the leaf, although the server does not send it.
  const bool leaf_alone = binding.leaf_alone && certificates_in(*before) == 1;
  if (binding.leaf_alone && !leaf_alone && !is_pkcs12(*raw))
    return fail(
        Code::unsupported, "rewrite", *certificate,
        "the file holds several certificates, and certrebind cannot tell which one is meant",
        "change it by hand");
  if (expected != nullptr && !holds(*before, *expected))
    return fail(Code::failed, "rewrite", *certificate,
                "the file changed since it was read; another program may be renewing it",
                "run the command again");
  bool combined = *certificate == *key;
  if (combined && private_key_blocks(*before).empty())
    return fail(
        Code::unsupported, "rewrite", *certificate,
        "the file holds no private key, and certrebind cannot tell where the server reads its key",
        "change it by hand");
  // A key in the certificate's file is also replaced, even if no directive names it there.
  bool with_key = combined || !private_key_blocks(*before).empty();
  Done done = put({.path = *certificate,
                   .before = *raw,
                   .after = certificate_file(*before, new_one, with_key,
                                             leaf_alone || !binding.chain.path.empty()),
                   .secret = true,
                   .what = fmt::format("certificate {}{}", brief_of(new_one),
                                       with_key ? " with its private key" : "")});
  for (const Companion& companion : binding.companions)
    if (done) done = renew(companion, new_one);
  if (!done) return done;
  if (Done chain = rewrite_chain(binding.chain, new_one); !chain) return chain;
  if (combined) return {};
  auto key_before = files_.read(*key, kPemLimit);
  if (!key_before) return pass(key_before);
  if (Done whole = is_a_pair(*certificate, *before, *key, *key_before); !whole) return whole;
  return put({.path = *key,
              .before = *key_before,
              .after = new_one.key_blocks + other_blocks(*key_before),
              .secret = true,
              .what = fmt::format("private key of certificate {}, from {}", brief_of(new_one),
                                  printable(new_one.files.key))});
}

// The file at a path that a binding names; or, if there is none, the file to create.
Result<PlannedFile> FileSet::found_at(const std::string& path) {
  if (Done safe = way_.to(path); !safe) return pass(safe);
  auto entry = files_.lstat(path);
  const bool is_absent = !entry && entry.error().code == Code::not_found;
  auto real = files_.real_path(is_absent ? parent_directory(path) : path);
  if (!real && real.error().code == Code::not_found)
    return fail(
        Code::failed, "write", path,
        is_absent ? "its directory does not exist" : "it is a dangling symlink",
        is_absent ? "mkdir -p " + parent_directory(path) : "remove the symlink: rm " + path);
  if (!real) return pass(real);
  PlannedFile file;
  file.is_absent = is_absent;
  file.path = is_absent ? *real + "/" + file_name(path) : *real;
  if (is_absent) return file;
  auto before = files_.read(*real, kPemLimit);
  if (!before) return pass(before);
  file.before = std::move(*before);
  return file;
}

Done FileSet::put_bytes(const std::string& path, std::string bytes, std::string what) {
  auto file = found_at(path);
  if (!file) return pass(file);
  file->after = std::move(bytes);
  file->secret = true;
  file->what = std::move(what);
  return put(std::move(*file));
}

Done FileSet::put_back(const Binding& binding, const KeptPair& pair) {
  auto certificate = found_at(binding.certificate.path);
  if (!certificate) return pass(certificate);
  auto key = found_at(binding.key.path);
  if (!key) return pass(key);
  const bool combined = certificate->path == key->path;
  Done done =
      put_bytes(certificate->path, with_chain(kept_certificate(pair, combined), binding, pair),
                "kept certificate");
  if (done && !combined)
    done = put_bytes(key->path, pair.key.empty() ? private_key_blocks(pair.certificate) : pair.key,
                     "kept private key");
  if (done && !binding.chain.path.empty()) done = put_back_chain(binding.chain, pair);
  if (holds(certificate->before, pair.bundle.leaf.outline.thumbprint)) return done;
  NewCertificate kept;
  kept.bundle = pair.bundle;
  for (const Companion& companion : binding.companions)
    if (done) done = renew(companion, kept);
  return done;
}

// A pair that was kept without its chain only tells that the present chain must match it.
Done FileSet::put_back_chain(const NamedFile& chain, const KeptPair& pair) {
  if (!pair.chain.empty()) return put_bytes(chain.path, pair.chain, "kept intermediates");
  auto above = read_bundle(files_, chain.path);
  if (above && above->leaf.subject_line == pair.bundle.leaf.issuer_line) return {};
  return fail(Code::failed, "bring back", chain.path,
              "the intermediates there did not issue the kept certificate, and no others were kept",
              "put the intermediates of " + pair.bundle.leaf.issuer_line + " there first");
}

Done FileSet::renew(const Companion& companion, const NewCertificate& new_one) {
  auto path = way_.real_path(companion.path);
  if (!path) return pass(path);
  auto before = files_.read(*path, kPemLimit);
  if (!before) return pass(before);
  auto after = companion_of(companion, *before, new_one);
  if (!after || *after == *before) return {};
  std::string what = emptied(companion.kind);
  std::string note;
  if (!what.empty())
    note = fmt::format(
        "{} is emptied, because its {} belongs to the old certificate; fetch one for the new "
        "certificate",
        companion.path, what);
  return put({.path = *path,
              .before = *before,
              .after = std::move(*after),
              .secret = true,
              .what = what.empty() ? "issuer of certificate " + brief_of(new_one) : "empty " + what,
              .note = std::move(note)});
}

// A chain file that needs no change is not planned, so nobody else's use of it matters.
Done FileSet::rewrite_chain(const NamedFile& chain, const NewCertificate& new_one) {
  if (chain.path.empty()) return {};
  if (new_one.bundle.chain.empty())
    return fail(Code::failed, "rewrite", chain.path,
                "the new certificate has no intermediates for this file",
                "give the full chain (fullchain.pem): leaf, then intermediates");
  auto real = way_.real_path(chain.path);
  if (!real) return pass(real);
  auto before = files_.read(*real, kPemLimit);
  if (!before) return pass(before);
  std::string after;
  for (const Certificate& above : new_one.bundle.chain) after += pem_encode_certificate(above.der);
  if (after == *before) return {};
  return put({.path = *real,
              .before = std::move(*before),
              .after = std::move(after),
              .secret = true,
              .what = "the intermediates of certificate " + brief_of(new_one)});
}

bool FileSet::edits_span(const Span& span) const {
  auto file = edits_.find(span.file);
  return file != edits_.end() && file->second.contains(span.begin);
}

namespace {

// A file keeps its form. It has no password, otherwise it would not have been read.
Done to_pkcs12(PlannedFile& file) {
  auto bundle = Bundle::parse(file.after);
  if (!bundle) return pass(bundle);
  auto der = write_pkcs12(*bundle, private_key_blocks(file.after), "", Secret());
  if (!der) return pass(der);
  Secret::wipe(file.after);
  file.after = std::move(*der);
  return {};
}

}  // namespace

Result<std::vector<PlannedFile>> FileSet::finish() {
  std::map<std::string, PlannedFile> planned = rewritten_;
  for (const auto& [path, edits] : edits_) {
    if (Done safe = way_.to(path); !safe) return pass(safe);
    auto before = files_.read(path, kConfigLimit);
    if (!before) return pass(before);
    std::string after;
    size_t at = 0;
    for (const auto& [begin, edit] : edits) {
      size_t length = edit.where.end - begin;
      if (begin < at || edit.where.end > before->size() ||
          before->compare(begin, length, edit.expected) != 0)
        return fail(Code::failed, "edit", edit.where.text(), "the file changed during planning",
                    "run the command again");
      after.append(*before, at, begin - at).append(edit.replacement);
      at = edit.where.end;
    }
    after.append(*before, at);
    planned[path] = {.path = path,
                     .before = std::move(*before),
                     .after = std::move(after),
                     .secret = false,
                     .what = {}};
  }
  std::vector<PlannedFile> files;
  for (auto& [path, file] : planned) {
    if (file.secret && is_pkcs12(file.before))
      if (Done converted = to_pkcs12(file); !converted) return pass(converted);
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace certrebind
