// `request`, `requests` and `complete`: a certificate that is asked for here, and comes from a CA.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "acts/export.h"
#include "base/text.h"
#include "cli/acting.h"
#include "cli/import.h"
#include "cli/output.h"
#include "cli/typed_input.h"
#include "cli/wanted_options.h"
#include "store/requests.h"
#include "sys/local_time.h"
#include "x509/private_key.h"

namespace certrebind {

namespace {

struct RequestTyped {
  WantedOptions wanted;
  std::string subject;
  std::string name;
  std::string output;
};

std::string complete_command_for(const OpenRequest& request) {
  return "certrebind complete FILE --request " + shell_quoted(request.name);
}

Json json_of(const Files& files, const OpenRequest& request) {
  auto csr = files.read(request.csr_path(), kPemLimit);
  auto key = files.read(request.key_path(), kPemLimit);
  auto info = files.stat(request.csr_path());
  Json names = Json::array();
  if (csr)
    for (const std::string& name : names_in_request(*csr)) names.push_back(printable(name));
  return {{"name", request.name},
          {"names", std::move(names)},
          {"key", key ? describe_key(*key) : ""},
          {"made", info ? to_rfc3339(WallTime(milliseconds(info->modified_ns / 1'000'000))) : ""},
          {"path", printable(request.csr_path())},
          {"csr", csr ? *csr : ""}};
}

int tell_requested(Context& context, const RequestTyped& typed, const OpenRequest& request,
                   const std::string& csr) {
  if (context.json()) {
    print_json({{"request", json_of(context.host().files, request)},
                {"next", complete_command_for(request)}});
    return kDone;
  }
  if (typed.output == "-") {
    print_bytes(csr);
    return kDone;
  }
  if (typed.output.empty()) print_whole(csr);
  print_line("the request is at " +
             printable(typed.output.empty() ? request.csr_path() : typed.output) +
             "; its key stays at " + printable(request.key_path()));
  print_line("next: send the request to the CA, and then: " + complete_command_for(request));
  return kDone;
}

int request_certificate(Context& context, const RequestTyped& typed) {
  if (Done root = only_root("request", "a certificate"); !root) return report(root.error());
  WantedCertificate wanted = typed.wanted.wanted();
  wanted.subject = typed.subject;
  auto made = make_request(wanted);
  if (!made) return report(made.error());
  CertificateOutline named;
  named.names = wanted.names;
  Files& files = context.host().files;
  const std::string output =
      typed.output.empty() || typed.output == "-" ? "" : absolute(typed.output);
  if (!output.empty() && files.lstat(output))
    return report(
        {Code::exists, "write", printable(typed.output), "it exists already", "name another file"});
  const OpenRequest request{.directory = context.settings().requests_directory(),
                            .name = typed.name.empty() ? own_name_of(named) : typed.name};
  auto acting = Acting::begin(context);
  if (!acting) return report(acting.error());
  if (Done written = write_request(files, request, *made); !written) return report(written.error());
  note_change();
  if (!output.empty())
    if (Done copied = write_new_file(files, output, made->csr_pem); !copied) {
      copied.error().hint = "the request is made, and is at " + printable(request.csr_path());
      return report(copied.error());
    }
  return tell_requested(context, typed, request, made->csr_pem);
}

struct RequestsTyped {
  std::string removed;
  bool yes = false;
};

int list_requests(Context& context) {
  const Files& files = context.host().files;
  const auto requests = open_requests(files, context.settings().requests_directory());
  Json all = Json::array();
  Table table({"NAME", "NAMES", "KEY", "MADE"});
  for (const OpenRequest& request : requests) {
    all.push_back(json_of(files, request));
    const Json& one = all.back();
    auto info = files.stat(request.csr_path());
    table.add({request.name, names_text(one["names"].get<std::vector<std::string>>()),
               one["key"].get<std::string>(),
               info ? local_day_text(WallTime(milliseconds(info->modified_ns / 1'000'000))) : ""});
  }
  if (context.json())
    print_json({{"requests", std::move(all)}});
  else if (requests.empty())
    print_line("there is no open request; certrebind request NAME makes one");
  else
    print(table.text());
  return kDone;
}

int remove_open_request(Context& context, const RequestsTyped& typed) {
  if (Done named = check_own_name(typed.removed); !named) return report(named.error());
  Files& files = context.host().files;
  const OpenRequest request{context.settings().requests_directory(), typed.removed};
  if (!files.lstat(request.csr_path()))
    return report({Code::not_found, "remove", typed.removed,
                   "there is no open request of this name", "certrebind requests"});
  if (!typed.yes && !is_confirmed("Delete the request " + typed.removed + " and its key?"))
    return report({Code::failed, "remove", typed.removed,
                   "its key would be gone, and nobody said yes",
                   "certrebind requests --remove " + typed.removed + " --yes"});
  auto acting = Acting::begin(context);
  if (!acting) return report(acting.error());
  if (Done removed = remove_request(files, request); !removed) return report(removed.error());
  note_change();
  if (context.json())
    print_json({{"removed", typed.removed}});
  else
    print_line("the request " + typed.removed + " and its key are deleted");
  return kDone;
}

int requests(Context& context, const RequestsTyped& typed) {
  const std::string subject = typed.removed.empty() ? "open requests" : typed.removed;
  if (Done root = only_root(typed.removed.empty() ? "list" : "remove", subject); !root)
    return report(root.error());
  return typed.removed.empty() ? list_requests(context) : remove_open_request(context, typed);
}

struct CompleteTyped {
  std::string file;
  std::string request;
  ImportOptions options;
};

int complete(Context& context, CompleteTyped typed) {
  if (Done root = only_root("complete", printable(typed.file)); !root) return report(root.error());
  const Files& files = context.host().files;
  auto input = read_input(files, typed.file, "");
  if (!input) return report(input.error());
  auto credentials = read_credentials(input->file, "", nullptr);
  if (!credentials) credentials.error().subject = printable(typed.file);
  if (!credentials) return report(credentials.error());
  const auto found =
      request_for(files, context.settings().requests_directory(), credentials->bundle.leaf);
  if (!found || (!typed.request.empty() && found->request.name != typed.request))
    return report({Code::failed, "complete", printable(typed.file),
                   found ? "it belongs to the request " + found->request.name
                         : "no open request has the key of this certificate",
                   "certrebind requests lists them; with a key of its own: certrebind import"});
  if (typed.options.name.empty()) typed.options.name = found->request.name;
  credentials->key_pem = found->key_pem;
  return import_and_tell(context, typed.options,
                         {.credentials = std::move(*credentials),
                          .from = {.certificate = typed.file, .key = found->request.key_path()},
                          .command = "certrebind complete " + shell_quoted(printable(typed.file))});
}

}  // namespace

CommandSpec request_command() {
  auto typed = std::make_shared<RequestTyped>();
  std::vector<CommandOption> options = wanted_options(typed->wanted);
  options.push_back({"--subject", &typed->subject,
                     "the subject beside the name, as in 'O=Example,C=DE'", "TEXT"});
  options.push_back(
      {"--name", &typed->name, "what the request is called; default: its first name", "NAME"});
  options.push_back({"--output,-o", &typed->output,
                     "write the request to this new file; - for standard output alone", "FILE"});
  return {.name = "request",
          .summary = "make a key and a request for a certificate (CSR), for a CA to sign",
          .options = std::move(options),
          .footer =
              "The key never leaves this machine. Bring what the CA returns with certrebind "
              "complete.\n"
              "Example:\n  certrebind request www.example.com example.com -o www.csr",
          .run = [typed](Context& context) { return request_certificate(context, *typed); },
          .takes_services = false};
}

CommandSpec requests_command() {
  auto typed = std::make_shared<RequestsTyped>();
  return {.name = "requests",
          .summary = "the requests that no certificate has come for yet",
          .options = {{"--remove", &typed->removed, "delete this request and its key", "NAME"},
                      {"--yes", &typed->yes, "do not ask"}},
          .footer = "Example:\n  certrebind requests --remove www.example.com",
          .run = [typed](Context& context) { return requests(context, *typed); },
          .takes_services = false};
}

CommandSpec complete_command() {
  auto typed = std::make_shared<CompleteTyped>();
  std::vector<CommandOption> options = {
      {"FILE", &typed->file, "what the CA returned; - for standard input", "FILE", Need::required},
      {"--request", &typed->request, "the request that must be meant; default: found by its key",
       "NAME"}};
  std::ranges::move(import_options(typed->options), std::back_inserter(options));
  return {.name = "complete",
          .summary = "bring the certificate that a CA issued for an open request",
          .options = std::move(options),
          .footer =
              "It is imported with the key of the request, as certrebind import does; then the "
              "request is\n"
              "closed.\n"
              "Example:\n  certrebind complete www.crt --rebind",
          .run = [typed](Context& context) { return complete(context, *typed); }};
}

}  // namespace certrebind
