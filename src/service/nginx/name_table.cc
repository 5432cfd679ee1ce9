#include "service/nginx/name_table.h"

namespace certrebind::nginx {

bool NameTable::add(std::string_view name, uint32_t server) {
  if (name.starts_with("*.")) return add_head(name.substr(2), server, false);
  if (name.starts_with('.')) {
    if (!exact_.emplace(name.substr(1), kNobody).second) return false;
    return add_head(name.substr(1), server, true);
  }
  if (name.ends_with(".*")) return tails_.emplace(name.substr(0, name.size() - 2), server).second;
  return exact_.emplace(name, server).second;
}

bool NameTable::add_head(std::string_view suffix, uint32_t server, bool itself) {
  return heads_.emplace(suffix, Head{server, itself}).second;
}

std::optional<uint32_t> NameTable::find(std::string_view host) const {
  auto exact = exact_.find(host);
  if (exact != exact_.end() && exact->second != kNobody) return exact->second;
  if (auto server = find_head(host)) return server;
  return find_tail(host);
}

std::optional<uint32_t> NameTable::find_head(std::string_view host) const {
  if (heads_.empty()) return std::nullopt;
  bool whole = true;
  for (std::string_view suffix = host;; whole = false) {
    auto head = heads_.find(suffix);
    if (head != heads_.end() && (!whole || head->second.itself)) return head->second.server;
    size_t dot = suffix.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    suffix.remove_prefix(dot + 1);
  }
}

std::optional<uint32_t> NameTable::find_tail(std::string_view host) const {
  if (tails_.empty()) return std::nullopt;
  for (size_t dot = host.rfind('.'); dot != std::string_view::npos; dot = host.rfind('.')) {
    host = host.substr(0, dot);
    auto tail = tails_.find(host);
    if (tail != tails_.end()) return tail->second;
  }
  return std::nullopt;
}

}  // namespace certrebind::nginx
