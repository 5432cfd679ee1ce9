#include "acts/export.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/acting.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/typed_input.h"
#include "store/own.h"
#include "sys/guard.h"
#include "x509/pkcs12.h"
#include "x509/private_key.h"

namespace certrebind {

namespace {

struct ExportTyped {
  std::string certificate;
  bool pfx = false;
  bool with_key = false;
  std::string password_from;
  std::string output;
  bool force = false;
};

Done check_export(const ExportTyped& typed) {
  const std::string subject = printable(typed.certificate);
  if (typed.pfx && typed.password_from.empty())
    return fail(Code::usage, "export", subject, "a PKCS #12 file needs a password",
                "--password-from FILE; an empty first line is an empty password");
  if (!typed.pfx && !typed.password_from.empty())
    return fail(Code::usage, "export", subject, "PEM is written without a password",
                "use --pfx, or leave --password-from out");
  if (typed.output != "-") return {};
  if (answers_in_json())
    return fail(Code::usage, "export", subject, "standard output is for the JSON answer",
                "name a file with -o");
  if (stdout_is_terminal() && (typed.with_key || typed.pfx))
    return fail(Code::usage, "export", subject, "a key is not shown on a terminal",
                "name a file with -o");
  return {};
}

// As elsewhere; also the name in certrebind's own store.
Result<NewCertificate> find_certificate(Context& context, const std::string& typed) {
  const Host host = context.host();
  const OwnCertificate own{context.settings().certificates_directory(), typed};
  auto surveyed = survey(host, context.only());
  if (!surveyed) return pass(surveyed);
  KnownCertificates known;
  known.add_stored(host.files, context.settings().stores);
  known.add_bound(*surveyed);
  std::string wanted = is_path(typed) ? absolute(typed) : typed;
  const auto thumbprint = TypedThumbprint::parse(typed);
  const bool wins = thumbprint && thumbprint->is_whole();
  if (!wins && check_own_name(typed) && host.files.lstat(own.certificate_path()))
    wanted = own.certificate_path();
  return identify_new(host.files, known, context.settings().stores, *surveyed, wanted, "");
}

Result<std::string> key_to_export(const NewCertificate& found) {
  if (found.key == KeyState::matches) return plain_key_of_pem(found.key_blocks, nullptr);
  return fail(Code::failed, "export the key of", printable(found.files.certificate),
              "its key " + to_text(found.key), "leave --with-key out");
}

Result<std::string> bytes_of(const ExportTyped& typed, const NewCertificate& found,
                             const std::string& key, const Secret* password) {
  if (!typed.pfx) return found.bundle.certificates_pem() + key;
  return write_pkcs12(found.bundle, key, found.bundle.leaf.outline.subject, *password);
}

int export_typed(Context& context, const ExportTyped& typed) {
  if (Done root = only_root("export", printable(typed.certificate)); !root)
    return report(root.error());
  if (Done good = check_export(typed); !good) return report(good.error());
  auto input = read_input(context.host().files, "", typed.password_from);
  if (!input) return report(input.error());
  auto acting = Acting::begin(context);
  if (!acting) return report(acting.error());
  auto found = find_certificate(context, typed.certificate);
  if (!found) return report(found.error());
  auto key = typed.with_key ? key_to_export(*found) : Result<std::string>("");
  if (!key) return report(key.error());
  auto bytes = bytes_of(typed, *found, *key, input->password_or_null());
  if (!bytes) return report(bytes.error());
  const Export copy{.leaf = found->bundle.leaf,
                    .bytes = std::move(*bytes),
                    .with_key = typed.with_key,
                    .path = typed.output == "-" ? "-" : absolute(typed.output),
                    .overwrite = typed.force};
  if (Done done = export_certificate((*acting)->transaction_context(), copy); !done)
    return report(done.error());
  note_change();
  if (copy.path == "-") {
    print_bytes(copy.bytes);
    return kDone;
  }
  if (context.json())
    print_json(
        {{"certificate", to_json(copy.leaf.outline, copy.leaf.der, context.host().clock.wall())},
         {"path", printable(copy.path)},
         {"with_key", copy.with_key}});
  else
    print_line("exported " + copy.leaf.outline.thumbprint.brief() + " to " + printable(copy.path) +
               (copy.with_key ? ", with its key" : ", without its key"));
  return kDone;
}

}  // namespace

CommandSpec export_command() {
  auto typed = std::make_shared<ExportTyped>();
  return {.name = "export",
          .summary = "copy a certificate with its chain, and if wanted its key, to a file",
          .options = {{"certificate", &typed->certificate,
                       "a thumbprint (or a prefix of one), a path, or a name in certrebind's store",
                       "CERT", Need::required},
                      {"--pfx", &typed->pfx, "as PKCS #12 (PFX) instead of PEM"},
                      {"--with-key", &typed->with_key, "with its private key"},
                      {"--password-from", &typed->password_from,
                       "a file whose first line is the password of the PFX; - for standard input",
                       "FILE"},
                      {"--output,-o", &typed->output, "the file to write; - for standard output",
                       "FILE", Need::required},
                      {"--force", &typed->force, "replace the file if it exists"}},
          .footer =
              "Example:\n  certrebind export www.example.com --pfx --with-key --password-from "
              "pw.txt -o www.pfx",
          .run = [typed](Context& context) { return export_typed(context, *typed); }};
}

}  // namespace certrebind
