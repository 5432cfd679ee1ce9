#include "service/haproxy/haproxy.h"

#include "base/text.h"
#include "service/haproxy/bindings.h"
#include "service/haproxy/live_update.h"
#include "service/instances.h"

namespace certrebind {

namespace {

std::unexpected<Error> cannot_name(const std::string& path, std::string why) {
  return fail(Code::unsupported, "name in the HAProxy configuration", printable(path),
              std::move(why), "use --rewrite");
}

}  // namespace

HaproxyService::HaproxyService(haproxy::Instance instance, const Files& files)
    : instance_(std::move(instance)),
      files_(files),
      id_{"haproxy", Root(instance_.root, files).on_host(instance_.started.paths.front())} {}

Result<Discovery> HaproxyService::bindings() const {
  Root root(instance_.root, files_);
  auto config = haproxy::read_config(instance_.started, root);
  if (!config) return pass(config);
  return haproxy::discover_bindings(std::move(*config), instance_.started, root);
}

Result<std::vector<FileEdit>> HaproxyService::repoint(const Binding& binding,
                                                      const CertificateFiles& files) const {
  if (!binding.not_editable.empty())
    return fail(Code::unsupported, "repoint", printable(binding.site), binding.not_editable);
  if (binding.certificate.written.empty())
    return cannot_name(binding.certificate.path,
                       "no word there means this file alone: it comes from a directory, a bundle "
                       "or a variable");
  bool apart = !binding.key.written.empty();
  bool beside = files.key == files.certificate || files.key == files.certificate + ".key";
  if (!apart && !beside)
    return cannot_name(files.certificate, "HAProxy would look for its key in the same file or in " +
                                              files.certificate + ".key");
  std::vector<FileEdit> edits;
  Root root(instance_.root, files_);
  auto add = [&](const NamedFile& named, const std::string& path) -> Done {
    auto inside = root.inside(path);
    if (!inside || !inside->starts_with('/'))
      return fail(Code::usage, "name in the HAProxy configuration", printable(path),
                  "it lies outside the root directory of this HAProxy");
    // A crt-list does not support quotes.
    if (haproxy::quoted(*inside) != *inside)
      return cannot_name(path, "it holds blanks, quotes or other characters with a meaning");
    edits.push_back({named.where, named.written, *inside});
    return {};
  };
  if (Done added = add(binding.certificate, files.certificate); !added) return pass(added);
  if (apart)
    if (Done added = add(binding.key, files.key); !added) return pass(added);
  return edits;
}

std::optional<Command> HaproxyService::config_test() const {
  Command command;
  command.root = instance_.root;
  command.user = trust().owner;
  std::string executable =
      Root(instance_.root, files_).inside(instance_.executable).value_or(instance_.executable);
  command.arguments = {executable, "-c", "-C", instance_.started.directory};
  if (!instance_.started.peer.empty()) {
    command.arguments.push_back("-L");
    command.arguments.push_back(instance_.started.peer);
  }
  for (const std::string& path : instance_.started.paths) {
    command.arguments.push_back("-f");
    command.arguments.push_back(path);
  }
  if (!instance_.started.environment.empty()) {
    command.environment.emplace();
    for (const auto& [name, value] : instance_.started.environment)
      if (std::string variable = name + "=" + value; !rules_programs(variable))
        command.environment->push_back(std::move(variable));
  }
  return command;
}

Reload HaproxyService::reload() const {
  return {.signal = instance_.master,
          .restart_only = instance_.restart_only,
          .live = [this](const std::vector<std::string>& files) { return live(files); },
          .view = [this] { return view(); }};
}

std::unique_ptr<LoadedView> HaproxyService::view() const {
  if (!instance_.master) return nullptr;
  Root root(instance_.root, files_);
  return haproxy::loaded_view(instance_.started, root);
}

std::unique_ptr<LiveUpdate> HaproxyService::live(const std::vector<std::string>& files) const {
  if (!instance_.master) return nullptr;
  Root root(instance_.root, files_);
  return haproxy::live_update(instance_.started, root, files);
}

}  // namespace certrebind
