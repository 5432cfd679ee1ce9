#include "service/nginx/contexts.h"

#include <algorithm>
#include <array>

namespace certrebind::nginx {

namespace {

// Blocks with their own handler for lines (ngx_conf_parse with cf->handler).
constexpr std::array<std::string_view, 8> kData = {
    "types", "map", "geo", "split_clients", "charset_map", "geoip2", "match", "otel_exporter"};

Context enter_main(std::string_view name) {
  if (name == "http") return Context::http;
  if (name == "stream") return Context::stream;
  if (name == "mail") return Context::mail;
  return name == "events" ? Context::inert : Context::unknown;
}

Context enter_http(std::string_view name) {
  if (name == "server") return Context::http_server;
  return name == "upstream" ? Context::inert : Context::unknown;
}

Context enter_stream(std::string_view name) {
  if (name == "server") return Context::stream_server;
  return name == "upstream" ? Context::inert : Context::unknown;
}

Context enter_server(std::string_view name) {
  if (name == "location") return Context::location;
  return name == "if" || name == "limit_except" ? Context::condition : Context::unknown;
}

}  // namespace

Context enter(Context outer, std::string_view name) {
  if (outer == Context::mail || outer == Context::data || outer == Context::inert) return outer;
  if (std::find(kData.begin(), kData.end(), name) != kData.end()) return Context::data;
  if (name.ends_with("_by_lua_block")) return Context::inert;
  switch (outer) {
    case Context::main:
      return enter_main(name);
    case Context::http:
      return enter_http(name);
    case Context::stream:
      return enter_stream(name);
    case Context::http_server:
    case Context::location:
      return enter_server(name);
    default:
      return Context::unknown;
  }
}

std::string_view text_of(Context context) {
  switch (context) {
    case Context::main:
      return "the main context";
    case Context::http:
      return "http";
    case Context::http_server:
      return "an http server";
    case Context::location:
      return "a location";
    case Context::condition:
      return "an `if` or `limit_except` block";
    case Context::stream:
      return "stream";
    case Context::stream_server:
      return "a stream server";
    case Context::mail:
      return "mail";
    case Context::data:
    case Context::inert:
      return "a block that takes no certificates";
    case Context::unknown:
      break;
  }
  return "an unknown block";
}

}  // namespace certrebind::nginx
