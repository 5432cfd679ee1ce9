// Finds the end of a block of Lua. The OpenResty modules allow Lua between braces in the
// configuration (content_by_lua_block { … }) and read it with their own lexer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace certrebind::nginx {

// True for the name of a directive whose braces hold Lua.
bool takes_lua_block(std::string_view directive);

struct LuaBlock {
  size_t length = 0;    // up to the closing brace, exclusive; everything if there is none
  std::string problem;  // not empty if the module would reject the block
  size_t problem_at = 0;
};

// Reads Lua from behind an opening brace, as ngx_http_lua_conf_lua_block_parse does. Braces nest,
// except in comments, long brackets and strings. For that lexer, a quote that is not closed on its
// line starts no string and hides nothing (observed with lua-nginx-module of Debian 12).
LuaBlock lua_block(std::string_view text);

}  // namespace certrebind::nginx
