#include "service/nginx/nginx.h"

#include "base/text.h"
#include "service/nginx/bindings.h"
#include "service/nginx/servers.h"
#include "service/root.h"

namespace certrebind {

namespace nginx {

Result<std::string> quoted_path(const std::string& path) {
  if (path.find('$') != std::string::npos)
    return fail(Code::usage, "name in an nginx configuration", printable(path),
                "nginx takes \"$\" for the start of a variable, and nothing escapes it",
                "put the certificate at a path without \"$\"");
  if (path.find('\0') != std::string::npos)
    return fail(Code::usage, "name in an nginx configuration", printable(path),
                "it contains a NUL byte");
  bool plain = path.find_first_of(" \t\r\n;{}\"'\\#()") == std::string::npos;
  if (plain && !path.empty()) return path;
  std::string quoted = "\"";
  for (char c : path) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace nginx

NginxService::NginxService(nginx::Instance instance, const Files& files)
    : instance_(std::move(instance)),
      files_(files),
      id_{"nginx", Root(instance_.root, files).on_host(instance_.config)} {}

Result<Discovery> NginxService::bindings() const {
  Root root(instance_.root, files_);
  auto config = nginx::read_config(instance_.config, root);
  if (!config) return pass(config);
  std::vector<std::string> obeyed = nginx::obeyed_by(*config, instance_.prefix, root);
  std::vector<std::string> logs = nginx::error_logs(*config, instance_.prefix, root);
  Discovery found = nginx::discover_bindings(std::move(*config), root);
  found.obeyed = std::move(obeyed);
  found.error_logs = std::move(logs);
  return found;
}

Result<std::vector<FileEdit>> NginxService::repoint(const Binding& binding,
                                                    const CertificateFiles& files) const {
  if (!binding.not_editable.empty())
    return fail(Code::unsupported, "repoint", printable(binding.site), binding.not_editable);
  auto certificate = edit(binding.certificate, files.certificate);
  if (!certificate) return pass(certificate);
  auto key = edit(binding.key, files.key);
  if (!key) return pass(key);
  return std::vector<FileEdit>{std::move(*certificate), std::move(*key)};
}

Result<FileEdit> NginxService::edit(const NamedFile& named, const std::string& path) const {
  auto inside = Root(instance_.root, files_).inside(path);
  if (!inside || !inside->starts_with('/'))
    return fail(Code::usage, "name in the nginx configuration", printable(path),
                "it lies outside the root directory of this nginx, " + printable(instance_.root));
  auto written = nginx::quoted_path(*inside);
  if (!written) return pass(written);
  return FileEdit{named.where, named.written, std::move(*written)};
}

std::optional<Command> NginxService::config_test() const {
  auto executable = Root(instance_.root, files_).inside(instance_.executable);
  Command command;
  command.root = instance_.root;
  command.user = trust().owner;
  command.arguments = {executable.value_or(instance_.executable), "-t", "-q", "-c",
                       instance_.config};
  if (!instance_.prefix.empty()) {
    command.arguments.push_back("-p");
    command.arguments.push_back(instance_.prefix);
  }
  command.arguments.insert(command.arguments.end(), instance_.extra_arguments.begin(),
                           instance_.extra_arguments.end());
  return command;
}

}  // namespace certrebind
