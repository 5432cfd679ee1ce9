#include "acts/export.h"

#include <fmt/format.h>

#include "base/text.h"
#include "lifecycle/details.h"
#include "lifecycle/events.h"
#include "sys/safe_way.h"

namespace certrebind {

namespace {

std::string temporary_beside(const std::string& path) {
  return absolute_in(parent_directory(path), ".certrebind-" + file_name(path));
}

// The whole file under a temporary name, durably. What a crash left of an earlier one is removed.
Done stage_copy(Files& files, const std::string& path, const std::string& bytes) {
  if (Done safe = SafeWay(files).to(path); !safe) return safe;
  const std::string temporary = temporary_beside(path);
  if (files.lstat(temporary))
    if (Done removed = files.remove(temporary); !removed) return removed;
  if (Done made = files.create(temporary, bytes, {}); !made) return made;
  return files.sync({temporary});
}

// A link fails if the path exists, and does not follow it; a rename replaces it.
Done publish_copy(Files& files, const std::string& path, bool overwrite) {
  const std::string temporary = temporary_beside(path);
  Done there = overwrite ? files.rename(temporary, path) : files.link(temporary, path);
  if (!overwrite || !there)
    if (Done removed = files.remove(temporary); there && !removed) return removed;
  if (!there && there.error().code == Code::exists)
    return fail(Code::exists, "write", path, "it exists already", "name another file, or --force");
  return there ? files.sync({parent_directory(path)}) : there;
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
  if (Done staged = stage_copy(files, path, bytes); !staged) return staged;
  return publish_copy(files, path, false);
}

Done export_certificate(const TransactionContext& context, const Export& copy) {
  if (copy.path == "-") return log_export(context, copy);
  Files& files = context.host.files;
  if (!copy.overwrite && files.lstat(copy.path))
    return fail(Code::exists, "write", copy.path, "it exists already",
                "name another file, or --force");
  if (Done staged = stage_copy(files, copy.path, copy.bytes); !staged) return staged;
  if (Done logged = log_export(context, copy); !logged) return logged;
  return publish_copy(files, copy.path, copy.overwrite);
}

}  // namespace certrebind
