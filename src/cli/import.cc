#include "cli/import.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "acts/import.h"
#include "base/text.h"
#include "cli/acting.h"
#include "cli/rebind.h"
#include "cli/rebind_options.h"
#include "cli/rebind_task.h"
#include "cli/render_plan.h"
#include "cli/task_commands.h"
#include "cli/typed_input.h"
#include "state/wake.h"
#include "store/requests.h"
#include "x509/key.h"

namespace certrebind {

namespace {

constexpr size_t kSitesShown = 3;

// One import, from its typed form to its answer.
class Import {
 public:
  Import(Context& context, const ImportOptions& options, TypedImport typed)
      : context_(context), options_(options), typed_(std::move(typed)) {}

  int run() {
    auto accepted = accepted_by(options_.accepted);
    if (!accepted) return report(accepted.error());
    accepted_ = *accepted;
    own_ = {.directory = options_.store.empty() ? context_.settings().certificates_directory()
                                                : absolute(options_.store),
            .name = options_.name.empty() ? own_name_of(leaf().outline) : options_.name};
    if (Done named = check_own_name(own_.name); !named) return report(named.error());
    // A hostile key may take seconds, and nobody shall wait for the lock meanwhile.
    find_key();
    const KeyState key = tried_key_state(typed_.credentials.key_pem, leaf());
    auto acting = Acting::begin(context_);
    if (!acting) return report(acting.error());
    auto result = import_certificate((*acting)->transaction_context(), context_.only(),
                                     {.credentials = typed_.credentials,
                                      .own = own_,
                                      .from = typed_.from,
                                      .command = typed_.command,
                                      .key = key,
                                      .requested = requested_names(),
                                      .accepted = std::move(*accepted)});
    if (!result) return report(result.error());
    return refuses(result->findings) ? refuse(*result) : finish(**acting, *result);
  }

 private:
  const Certificate& leaf() const { return typed_.credentials.bundle.leaf; }
  Files& files() { return context_.host().files; }

  // A CA returns a certificate without its key: that is in the open request, or the certificate
  // before has the same.
  void find_key() {
    request_ = request_for(files(), context_.settings().requests_directory(), leaf());
    std::string& key = typed_.credentials.key_pem;
    if (!key.empty()) return;
    if (request_) key = request_->key_pem;
    if (auto kept = files().read(own_.key_path(), kPemLimit); key.empty() && kept)
      if (key_state(*kept, leaf()) == KeyState::matches) key = std::move(*kept);
  }

  std::vector<std::string> requested_names() {
    if (!request_) return {};
    auto csr = files().read(request_->request.csr_path(), kPemLimit);
    return csr ? names_in_request(*csr) : std::vector<std::string>();
  }

  int refuse(const ImportResult& result) {
    const Finding& first = *std::ranges::find(result.findings, Severity::error, &Finding::severity);
    note_failure({.message = "refused: " + printable(first.sentence),
                  .served = "as before: nothing was imported",
                  .next = printable(first.next)});
    if (context_.json()) {
      print_json(json_of(result));
      return kDiffers;
    }
    print_findings(result.findings);
    print_line("refused: nothing was imported; what is served is as before");
    return kDiffers;
  }

  int finish(const Acting& acting, const ImportResult& result) {
    if (result.is_new) note_change();
    if (Done done = complete_request(); !done) return report(done.error());
    wake_daemon(files(), context_.settings());
    if (result.unfinished) return report_unfinished(*result.unfinished);
    if (context_.json())
      print_json(json_of(result));
    else
      print_result(result);
    if (result.succeeded.empty()) return exit_of(acting.recovered());
    const bool automatic = is_automatic(result);
    if (options_.rebind || (!automatic && is_confirmed("Rebind them now?")))
      return rebind_pairs(context_, acting, pairs_of(result));
    if (context_.json()) return exit_of(acting.recovered());
    if (automatic)
      print_line("the daemon rebinds them by itself; certrebind history shows how");
    else
      print_line("next: " + rebind_command_for(result));
    return exit_of(acting.recovered());
  }

  // What was accepted here, the daemon would refuse.
  bool is_automatic(const ImportResult& result) const {
    return !options_.rebind && result.is_new && accepted_.empty() && !result.succeeded.empty() &&
           std::ranges::all_of(result.succeeded, &Succeeded::automatic) &&
           rebinds_automatically(load_tasks(context_)) && daemon_runs(context_.settings());
  }

  int report_unfinished(Error error) const {
    error.cause =
        fmt::format("{}; {} is in the store as {}, but which sites it is for is not known",
                    error.cause, leaf().outline.thumbprint.brief(), own_.name);
    if (error.hint.empty()) error.hint = "certrebind check, and then: " + typed_.command;
    return report(error);
  }

  Done complete_request() {
    if (!request_) return {};
    note_change();
    return remove_request(files(), request_->request);
  }

  // What was accepted for the store is accepted for the sites.
  RebindRequest pairs_of(const ImportResult& result) const {
    RebindRequest request;
    request.only = context_.only();
    for (const Succeeded& each : result.succeeded)
      request.pairs.push_back({.old_one = each.old_one.hex(),
                               .new_one = own_.certificate_path(),
                               .key_path = own_.key_path(),
                               .accepted = accepted_});
    return request;
  }

  std::string rebind_command_for(const ImportResult& result) const {
    std::string command = "certrebind rebind";
    for (const Succeeded& each : result.succeeded)
      command += fmt::format(" {} {}", each.old_one.brief(), shell_quoted(own_.certificate_path()));
    for (const std::string& risk : options_.accepted) command += " --accept=" + shell_quoted(risk);
    return command;
  }

  void print_result(const ImportResult& result) const {
    print_findings(result.findings);
    const CertificateOutline& outline = leaf().outline;
    print_line(fmt::format("{} {} as {}: {}, expires {}",
                           result.is_new              ? "imported"
                           : result.succeeded.empty() ? "nothing to do: the store has"
                                                      : "the store already has",
                           outline.thumbprint.brief(), own_.name, names_text(printable_names()),
                           expiry_text(outline.not_after, context_.host().clock.wall())));
    if (result.replaced) print_line("  it replaces    " + result.replaced->brief());
    if (request_) print_line("  it completes   the request " + request_->request.name);
    if (typed_.credentials.has_root)
      print_line("  left out       the root, which clients have already");
    if (typed_.credentials.unrelated > 0)
      print_line("  left out       " + count_of(typed_.credentials.unrelated, "certificate") +
                 " outside its chain");
    print_paths();
    for (const Succeeded& each : result.succeeded)
      print_line(fmt::format("{} {} {}, which it succeeds: {}", count_of(each.sites.size(), "site"),
                             each.sites.size() == 1 ? "uses" : "use", each.old_one.brief(),
                             printable(few_of(each.sites, kSitesShown))));
  }

  void print_paths() const {
    const std::string certificate = printable(own_.certificate_path());
    const std::string key = printable(own_.key_path());
    print_line("  certificate    " + certificate);
    print_line("  key            " + key);
    print_line(fmt::format("  for nginx      ssl_certificate {}; ssl_certificate_key {};",
                           certificate, key));
    print_line(fmt::format("  for Apache     SSLCertificateFile {}", certificate));
    print_line(fmt::format("                 SSLCertificateKeyFile {}", key));
    print_line(
        fmt::format("  for HAProxy    bind :443 ssl crt {}", printable(own_.combined_path())));
    if (is_known_store()) return;
    print_line(fmt::format("  the daemon does not watch {} yet; name it in certrebind.toml:",
                           printable(own_.directory)));
    print_line(fmt::format("                 [[store]] kind = \"{}\", path = \"{}\"", kOwnKind,
                           printable(own_.directory)));
  }

  bool is_known_store() const {
    return std::ranges::any_of(context_.settings().stores, [&](const StoreSetting& store) {
      return store.kind == kOwnKind && normalized(store.path) == own_.directory;
    });
  }

  std::vector<std::string> printable_names() const {
    std::vector<std::string> names;
    for (const std::string& name : leaf().outline.names) names.push_back(printable(name));
    return names;
  }

  Json json_of(const ImportResult& result) const {
    Json succeeded = Json::array();
    for (const Succeeded& each : result.succeeded) {
      Json sites = Json::array();
      for (const std::string& site : each.sites) sites.push_back(printable(site));
      succeeded.push_back({{"old", each.old_one.hex()}, {"sites", std::move(sites)}});
    }
    return {{"name", own_.name},
            {"certificate", to_json(leaf().outline, leaf().der, context_.host().clock.wall())},
            {"imported", result.is_new},
            {"replaced", result.replaced ? Json(result.replaced->hex()) : Json()},
            {"request", request_ ? Json(request_->request.name) : Json()},
            {"paths",
             {{"certificate", printable(own_.certificate_path())},
              {"key", printable(own_.key_path())},
              {"combined", printable(own_.combined_path())}}},
            {"findings", to_json(result.findings)},
            {"succeeds", std::move(succeeded)},
            {"automatic", is_automatic(result)},
            {"rebind", result.succeeded.empty() ? Json() : Json(rebind_command_for(result))}};
  }

  Context& context_;
  const ImportOptions& options_;
  TypedImport typed_;
  OwnCertificate own_;
  Risks accepted_;
  std::optional<MatchingRequest> request_;
};

struct ImportTyped {
  std::string file;
  std::string key;
  std::string password_from;
  ImportOptions options;
};

Result<Credentials> read_typed_credentials(Context& context, const ImportTyped& typed) {
  const Files& files = context.host().files;
  auto input = read_input(files, typed.file, typed.password_from);
  if (!input) return pass(input);
  std::string key;
  if (!typed.key.empty()) {
    auto read = files.read(absolute(typed.key), kPemLimit);
    if (!read) return pass(read);
    key = std::move(*read);
  }
  auto credentials = read_credentials(input->file, key, input->password_or_null());
  if (!credentials) credentials.error().subject = printable(typed.file);
  return credentials;
}

int import_typed(Context& context, const ImportTyped& typed) {
  if (Done root = only_root("import", printable(typed.file)); !root) return report(root.error());
  auto credentials = read_typed_credentials(context, typed);
  if (!credentials) return report(credentials.error());
  const std::string file = typed.file == "-" ? "standard input" : typed.file;
  std::string command = "certrebind import " + shell_quoted(printable(typed.file));
  if (!typed.options.name.empty()) command += " --name " + shell_quoted(typed.options.name);
  return import_and_tell(
      context, typed.options,
      {.credentials = std::move(*credentials),
       .from = {.certificate = file, .key = typed.key.empty() ? file : typed.key},
       .command = std::move(command)});
}

}  // namespace

std::vector<CommandOption> import_options(ImportOptions& options) {
  return {
      {"--store", &options.store, "another directory than certificates/ beside certrebind.toml",
       "DIR"},
      {"--name", &options.name, "its name in the store; default: its first name", "NAME"},
      {"--accept", &options.accepted,
       "go on although it is worse in this: " + all_risks() + "; repeatable", "RISK"},
      {"--rebind", &options.rebind, "rebind the sites that use a certificate which it succeeds"}};
}

int import_and_tell(Context& context, const ImportOptions& options, TypedImport typed) {
  return Import(context, options, std::move(typed)).run();
}

CommandSpec import_command() {
  auto typed = std::make_shared<ImportTyped>();
  std::vector<CommandOption> options = {
      {"FILE", &typed->file,
       "the certificate as PEM, DER, PKCS #7 or PKCS #12 (PFX), in any order; - for standard input",
       "FILE", Need::required},
      {"--key", &typed->key, "its private key, if that is not in FILE or in an open request",
       "FILE"},
      {"--password-from", &typed->password_from,
       "a file whose first line is the password; - for the first line of standard input", "FILE"}};
  std::ranges::move(import_options(typed->options), std::back_inserter(options));
  return {
      .name = "import",
      .summary = "bring a certificate with its key into certrebind's own store",
      .options = std::move(options),
      .footer =
          "The leaf is put first and its chain in order. A certificate that would be an outage is\n"
          "refused. The same NAME again makes a new generation, which sites bound to it load.\n"
          "Examples:\n  certrebind import www.pfx --password-from pw.txt --rebind\n"
          "  certrebind import www.crt --key www.key",
      .run = [typed](Context& context) { return import_typed(context, *typed); }};
}

}  // namespace certrebind
