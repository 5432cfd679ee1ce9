#include "acts/export.h"

#include <fmt/format.h>

#include <random>

#include "base/text.h"
#include "lifecycle/details.h"
#include "lifecycle/events.h"
#include "sys/safe_way.h"

namespace certrebind {

namespace {

// A name that nobody can foresee and occupy, however long that of the file is.
std::string temporary_beside(const std::string& path) {
  std::random_device random;
  return absolute_in(parent_directory(path),
                     fmt::format(".certrebind-{:08x}{:08x}", random(), random()));
}

// The whole file under the temporary name, durably.
Done stage_copy(Files& files, const std::string& path, const std::string& temporary,
                const std::string& bytes) {
  if (Done safe = SafeWay(files).to(path); !safe) return safe;
  if (Done made = files.create(temporary, bytes, {}); !made) return made;
  return files.sync({temporary});
}

// A link fails if the path exists, and does not follow it; a rename replaces it.
Done publish_copy(Files& files, const std::string& path, const std::string& temporary,
                  bool overwrite) {
  Done there = overwrite ? files.rename(temporary, path) : files.link(temporary, path);
  if (!overwrite || !there)
    if (Done removed = files.remove(temporary); there && !removed) return removed;
  if (!there && there.error().code == Code::exists)
    return fail(Code::exists, "write", path, "it exists already", "name another file, or --force");
  return there ? files.sync({parent_directory(path)}) : there;
}

// Links, devices and directories are somebody's arrangement.
Done check_place(const Files& files, const std::string& path, bool overwrite) {
  auto info = files.lstat(path);
  if (!info) return {};
  if (info->kind != FileKind::regular)
    return fail(Code::exists, "write", path,
                info->kind == FileKind::directory ? "it is a directory"
                : info->kind == FileKind::symlink ? "it is a symbolic link"
                                                  : "it is a device, a pipe or a socket",
                "name another file");
  if (overwrite) return {};
  return fail(Code::exists, "write", path, "it exists already", "name another file, or --force");
}

Done log_export(const TransactionContext& context, const Export& copy) {
  const std::string where = copy.path == "-" ? "standard output" : printable(copy.path);
  Database& database = context.state.database();
  return database.atomically("log the export", [&] {
    append_event(database, {.id = EventId::exported,
                            .at = context.host.clock.wall(),
                            .new_thumbprint = copy.leaf.outline.thumbprint.hex(),
                            .names = copy.leaf.outline.names,
                            .message = fmt::format("{} was exported to {}, {} its key",
                                                   copy.leaf.outline.thumbprint.brief(), where,
                                                   copy.with_key ? "with" : "without"),
                            .details = details_of(Described{copy.leaf.der, copy.path})});
  });
}

}  // namespace

Done write_new_file(Files& files, const std::string& path, const std::string& bytes) {
  const std::string temporary = temporary_beside(path);
  if (Done staged = stage_copy(files, path, temporary, bytes); !staged) return staged;
  return publish_copy(files, path, temporary, false);
}

Done export_certificate(const TransactionContext& context, const Export& copy) {
  if (copy.path == "-") return log_export(context, copy);
  Files& files = context.host.files;
  if (Done free = check_place(files, copy.path, copy.overwrite); !free) return free;
  const std::string temporary = temporary_beside(copy.path);
  if (Done staged = stage_copy(files, copy.path, temporary, copy.bytes); !staged) return staged;
  if (Done logged = log_export(context, copy); !logged) return logged;
  return publish_copy(files, copy.path, temporary, copy.overwrite);
}

}  // namespace certrebind
