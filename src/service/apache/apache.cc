#include "service/apache/apache.h"

#include <fmt/format.h>

#include "base/text.h"
#include "service/apache/bindings.h"
#include "service/apache/hosts.h"
#include "service/apache/own_view.h"
#include "service/apache/written_places.h"
#include "service/root.h"

namespace certrebind {

namespace {

constexpr size_t kFew = 5;  // maximum number of names in one sentence

}  // namespace

namespace apache {

Result<std::string> quoted_path(const std::string& path) {
  if (path.find("${") != std::string::npos)
    return fail(Code::usage, "name in an httpd configuration", printable(path),
                "httpd takes \"${\" for the start of a variable, and nothing escapes it",
                "put the certificate at a path without \"${\"");
  if (path.find_first_of(std::string("\0\n", 2)) != std::string::npos)
    return fail(Code::usage, "name in an httpd configuration", printable(path),
                "it contains a NUL byte or a newline");
  bool plain = path.find_first_of(" \t\r\f\v\"'\\<>#") == std::string::npos;
  if (plain && !path.empty()) return path;
  std::string quoted = "\"";
  for (char c : path) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace apache

ApacheService::ApacheService(apache::Instance instance, const Files& files)
    : instance_(std::move(instance)),
      files_(files),
      id_{"apache", Root(instance_.root, files).on_host(instance_.given.main_file)} {}

Result<Discovery> ApacheService::bindings() const {
  Root root(instance_.root, files_);
  auto config = apache::read_config(instance_.given, root);
  if (!config) return pass(config);
  return apache::discover_bindings(std::move(*config), root);
}

Result<std::string> ApacheService::written(const std::string& path) const {
  auto inside = Root(instance_.root, files_).inside(path);
  if (!inside || !inside->starts_with('/'))
    return fail(Code::usage, "name in the httpd configuration", printable(path),
                "it lies outside the root directory of this httpd, " + printable(instance_.root));
  return apache::quoted_path(*inside);
}

// A key in the certificate's file gets its own directive if NEW's key is in another file. If the
// old chain had its own file, the chain comes from the new certificate's file.
Result<std::vector<FileEdit>> ApacheService::repoint(const Binding& binding,
                                                     const CertificateFiles& files) const {
  if (!binding.not_editable.empty())
    return fail(Code::unsupported, "repoint", printable(binding.site), binding.not_editable);
  auto certificate = written(files.certificate);
  if (!certificate) return pass(certificate);
  auto key = written(files.key);
  if (!key) return pass(key);
  std::vector<FileEdit> edits;
  if (binding.leaf_alone)
    return fail(Code::unsupported, "repoint", printable(binding.site),
                "httpd wants the certificate and its key, and nothing else, in one file",
                "use --rewrite");
  bool own_key = binding.key.where != binding.certificate.where;
  std::string first = *certificate;
  if (!own_key && files.key != files.certificate) first += "\nSSLCertificateKeyFile " + *key;
  edits.push_back({binding.certificate.where, binding.certificate.written, std::move(first)});
  if (own_key) edits.push_back({binding.key.where, binding.key.written, *key});
  if (!binding.chain.path.empty())
    edits.push_back({binding.chain.where, binding.chain.written, *certificate});
  return edits;
}

std::vector<std::string> ApacheService::arguments() const {
  const apache::Given& given = instance_.given;
  auto executable = Root(instance_.root, files_).inside(instance_.executable);
  std::vector<std::string> all = {executable.value_or(instance_.executable), "-d",
                                  given.server_root, "-f", given.main_file};
  auto add = [&](const char* option, const std::vector<std::string>& values) {
    for (const std::string& value : values) {
      all.emplace_back(option);
      all.push_back(value);
    }
  };
  add("-D", given.defines);
  add("-C", given.directives_before);
  add("-c", given.directives_after);
  return all;
}

std::optional<Command> ApacheService::config_test() const {
  Command command;
  command.arguments = arguments();
  command.arguments.emplace_back("-t");
  command.root = instance_.root;
  command.user = trust().owner;
  command.environment = instance_.environment;
  return command;
}

std::optional<SelfReport> ApacheService::self_report() const {
  auto own_view = config_test();
  for (const char* word : {"-D", "DUMP_CERTS"}) own_view->arguments.emplace_back(word);
  return SelfReport{
      .own_view = std::move(own_view),
      .doubts = [this](const CommandOutput& view,
                       const std::vector<std::string>& named) { return doubts(view, named); },
      .rehearsal = [this] { return rehearsal(); }};
}

std::vector<Diagnostic> ApacheService::doubts(const CommandOutput& own_view,
                                              const std::vector<std::string>& named) const {
  auto doubt = [&](std::string message) {
    return Diagnostic{Severity::warning, id_.path, 0, 0, std::move(message)};
  };
  if (own_view.status != 0)
    return {doubt("httpd refuses this configuration: " + joined_lines(own_view.output))};
  std::vector<Diagnostic> doubts;
  apache::Difference difference = apache::compare_certificates(named, own_view.output);
  if (!difference.only_theirs.empty())
    doubts.push_back(doubt(fmt::format(
        "httpd itself names {} not seen here: {}; their hosts are left alone",
        count_of(difference.only_theirs.size(), "certificate that is", "certificates that are"),
        few_of(difference.only_theirs, kFew))));
  if (!difference.only_ours.empty())
    doubts.push_back(doubt(fmt::format(
        "httpd itself does not name {} seen here: {}",
        count_of(difference.only_ours.size(), "certificate that is", "certificates that are"),
        few_of(difference.only_ours, kFew))));
  return doubts;
}

std::optional<Rehearsal> ApacheService::rehearsal() const {
  Root root(instance_.root, files_);
  auto config = apache::read_config(instance_.given, root);
  // Only root can isolate a process of another user, and then root would start that user's server.
  if (!config || instance_.root != "/" || !trust().is_ours()) return std::nullopt;
  Rehearsal rehearsal;
  rehearsal.command.arguments = arguments();
  auto directive = [&](const char* name, const char* file) {
    rehearsal.command.arguments.emplace_back("-c");
    rehearsal.command.arguments.push_back(fmt::format("{} {}{}", name, kScratch, file));
  };
  directive("DefaultRuntimeDir", "");
  directive("PidFile", "/pid");
  directive("ErrorLog", "/said");
  for (const char* word : {"-D", apache::kRehearsalDefine, "-D", "FOREGROUND"})
    rehearsal.command.arguments.emplace_back(word);
  rehearsal.command.environment = instance_.environment;
  // Written after everything is loaded and before the first child is created (ap_log_pid).
  rehearsal.ready = "pid";
  apache::WrittenPlaces places = apache::written_places(*config, root);
  rehearsal.forgotten = std::move(places.state);
  rehearsal.masked = std::move(places.logs);
  return rehearsal;
}

}  // namespace certrebind
