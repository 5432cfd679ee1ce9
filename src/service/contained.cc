#include "service/contained.h"

#include <fmt/format.h>

#include "base/text.h"

namespace certrebind {

ContainedService::ContainedService(std::unique_ptr<Service> inner, ContainerPaths paths)
    : inner_(std::move(inner)), paths_(std::move(paths)), id_(inner_->id()) {
  if (auto inside = paths_.inside(id_.path)) id_.path = paths_.root() + *inside;
}

Result<Discovery> ContainedService::bindings() const {
  auto found = inner_->bindings();
  if (!found) return found;
  const std::vector<Mount> mounts = mounts_of_containers();
  for (Binding& binding : found->bindings) binding.not_written = why_not_written(binding, mounts);
  return found;
}

Result<std::vector<FileEdit>> ContainedService::repoint(const Binding& binding,
                                                        const CertificateFiles&) const {
  return fail(Code::unsupported, "repoint", printable(binding.site),
              "certrebind does not edit a configuration in a container",
              "use --rewrite where its certificate is mounted from this host");
}

Reload ContainedService::reload() const {
  const Reload theirs = inner_->reload();
  Reload reload{.signal = theirs.signal,
                .restart_only = theirs.restart_only,
                .per_connection = theirs.per_connection,
                .may_cache = theirs.may_cache};
  if ((theirs.commands || theirs.socket) && reload.restart_only.empty())
    reload.restart_only =
        "a program or a socket reloads it, and certrebind uses none of a container; run "
        "certrebind inside it";
  return reload;
}

std::string ContainedService::why_not_written(const Binding& binding,
                                              const std::vector<Mount>& mounts) const {
  if (has_own_users(process_of_container(paths_.root()).value_or(0)))
    return "the container has user ids of its own (a user namespace), so it may have mounted as "
           "read-only what it can change; next: renew it inside, or on this host in place";
  for (const NamedFile* named : {&binding.certificate, &binding.key, &binding.chain}) {
    if (named->path.empty()) continue;
    // A link may lead from a directory that is safe to one that is not.
    const auto real = files().real_path(named->path);
    for (const std::string& path : {named->path, real.value_or(named->path)})
      if (std::string why = why_not_written_at(path, mounts); !why.empty()) return why;
  }
  return "";
}

std::string ContainedService::why_not_written_at(const std::string& path,
                                                 const std::vector<Mount>& mounts) const {
  const auto inside = paths_.inside(path);
  if (!inside || is_within(path, paths_.root()))
    return fmt::format(
        "{} is a file of the container alone; next: renew it inside, or mount the directory from "
        "this host, read-only",
        inside.value_or(path));
  if (paths_.is_mounted_alone(*inside))
    return fmt::format(
        "{} is mounted as a single file, and a new file in its place is not seen inside; next: "
        "mount its directory instead, read-only",
        path);
  if (paths_.may_change(*inside))
    return fmt::format(
        "the container may change {} itself, so certrebind does not write there; next: mount the "
        "directory read-only",
        path);
  if (paths_.may_change(*inside, mounts))
    return fmt::format(
        "a container may change {}, by another mount, so certrebind does not write there; next: "
        "mount the directory read-only in every container",
        path);
  return "";
}

}  // namespace certrebind
