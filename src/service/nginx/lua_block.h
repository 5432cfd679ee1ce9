// Where a block of Lua ends: the modules of OpenResty put Lua between braces in the configuration
// (content_by_lua_block { … }) and read it with a lexer of their own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace certrebind::nginx {

// True for the name of a directive whose braces hold Lua.
bool takes_lua_block(std::string_view directive);

struct LuaBlock {
  size_t length = 0;    // up to the closing brace, which is not part of it; else all
  std::string problem;  // not empty where the module would refuse it
  size_t problem_at = 0;
};

// Reads Lua from behind an opening brace, as ngx_http_lua_conf_lua_block_parse does: braces nest,
// except in comments, long brackets and strings. A quote that is not closed on its line is no
// string to that lexer, and hides nothing (seen on lua-nginx-module of Debian 12).
LuaBlock lua_block(std::string_view text);

}  // namespace certrebind::nginx
