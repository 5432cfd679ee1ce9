#include "rebind/file_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "x509/pem.h"

namespace certrebind {

namespace {

// Blocks that are neither certificate nor key, as they stand.
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

// `leaf_only`: the intermediates have a file of their own.
std::string certificate_file(const std::string& before, const NewCertificate& new_one,
                             bool with_key, bool leaf_only) {
  const Bundle& bundle = new_one.bundle;
  std::string certificates =
      leaf_only ? pem_encode_certificate(bundle.leaf.der) : bundle.certificates_pem();
  std::string key = with_key ? new_one.key_blocks : "";
  std::string rest = other_blocks(before);
  return key_comes_first(before) ? key + certificates + rest : certificates + key + rest;
}

std::string brief_of(const NewCertificate& new_one) {
  return new_one.bundle.leaf.outline.thumbprint.brief();
}

// What a companion has to hold beside NEW, or nothing where it may stay as it is.
std::optional<std::string> companion_of(const Companion& companion, const std::string& before,
                                        const NewCertificate& new_one) {
  switch (companion.kind) {
    case Companion::Kind::ocsp_response:
      return std::string();
    case Companion::Kind::timestamps:
      return std::string(2, '\0');  // a list of none: its length, of two bytes
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

// What is emptied, where it is: nobody has one for NEW yet.
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
                  "two bindings need different values in this one place",
                  "use --rewrite, or give each site a directive of its own");
  }
  return {};
}

Done FileSet::put(PlannedFile file) {
  auto [known, is_new] = rewritten_.try_emplace(file.path, file);
  if (is_new || known->second.after == file.after) return {};
  return fail(Code::failed, "rewrite", file.path, "two bindings need different content in it",
              "use --repoint");
}

Done FileSet::rewrite(const Binding& binding, const NewCertificate& new_one) {
  auto certificate = way_.real_path(binding.certificate.path);
  if (!certificate) return pass(certificate);
  auto key = way_.real_path(binding.key.path);
  if (!key) return pass(key);
  auto before = files_.read(*certificate, kPemLimit);
  if (!before) return pass(before);
  if (binding.leaf_alone && certificates_in(*before) != 1)
    return fail(Code::unsupported, "rewrite", *certificate,
                "it holds several certificates, and which of them is meant is not understood",
                "change it by hand");
  bool combined = *certificate == *key;
  // A key that lies in the certificate's file without being named from there is kept in step too.
  bool with_key = combined || !private_key_blocks(*before).empty();
  Done done = put({.path = *certificate,
                   .before = *before,
                   .after = certificate_file(*before, new_one, with_key,
                                             binding.leaf_alone || !binding.chain.path.empty()),
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
  return put({.path = *key,
              .before = *key_before,
              .after = new_one.key_blocks + other_blocks(*key_before),
              .secret = true,
              .what = fmt::format("private key of certificate {}, from {}", brief_of(new_one),
                                  printable(new_one.files.key))});
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
    note = fmt::format("{} is emptied: it held the old certificate's {}; fetch the new one's",
                       companion.path, what);
  return put({.path = *path,
              .before = *before,
              .after = std::move(*after),
              .secret = true,
              .what = what.empty() ? "issuer of certificate " + brief_of(new_one) : "empty " + what,
              .note = std::move(note)});
}

// A file of intermediates that stays as it is, is nobody's business.
Done FileSet::rewrite_chain(const NamedFile& chain, const NewCertificate& new_one) {
  if (chain.path.empty()) return {};
  if (new_one.bundle.chain.empty())
    return fail(Code::failed, "rewrite", chain.path,
                "the new certificate comes without the intermediates that belong there",
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
        return fail(Code::raced, "edit", edit.where.text(), "the file changed while it was planned",
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
  for (auto& [path, file] : planned) files.push_back(std::move(file));
  return files;
}

}  // namespace certrebind
