// The kind of block that contains a directive. The same name means different things in each kind,
// and nothing in an unknown block.
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
  mail,   // and everything inside it
  data,   // data lines, not directives: types, map, geo, …
  inert,  // known, but never contains certificates: events, upstream
  unknown,
};

// The kind of a block `name` inside `outer`.
Context enter(Context outer, std::string_view name);

// For people: "http", "a location", "an unknown block".
std::string_view text_of(Context context);

}  // namespace certrebind::nginx
