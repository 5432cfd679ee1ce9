// Which kind of block a directive stands in: the same name means different things in each, and
// nothing at all in a block that nobody knows.
#pragma once

#include <string_view>

namespace certrebind::nginx {

enum class Context {
  main,
  http,
  http_server,
  location,
  condition,  // `if` and `limit_except`
  stream,
  stream_server,
  mail,   // and all in it
  data,   // rows, not directives: types, map, geo, …
  inert,  // known, and without a place for certificates: events, upstream
  unknown,
};

// The kind of a block `name` that stands in `outer`.
Context enter(Context outer, std::string_view name);

// For people: "http", "a location", "an unknown block".
std::string_view text_of(Context context);

}  // namespace certrebind::nginx
