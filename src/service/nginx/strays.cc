#include "service/nginx/strays.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "service/nginx/contexts.h"

namespace certrebind::nginx {

namespace {

bool names_certificate(std::string_view name) {
  return name.ends_with("ssl_certificate") || name.ends_with("ssl_certificate_key");
}

// "ssl_conf_command Certificate PATH": OpenSSL loads it after the server's own certificates
// (SSL_CONF_cmd(3)), so it is shown instead of the one of the same key type.
bool overrides_certificate(const Node& node) {
  if (!node.name().ends_with("ssl_conf_command") || node.arguments().size() != 2) return false;
  const std::string command = to_lower(node.arguments().front().value);
  return command == "certificate" || command == "privatekey" || command == "chainfile";
}

// "gzip on server { … }": the name of a block among the arguments of a directive that has none.
bool seems_to_lack_a_semicolon(const Node& node) {
  constexpr std::array<std::string_view, 6> kBlocks = {"http",     "server", "location",
                                                       "upstream", "stream", "events"};
  constexpr std::array<std::string_view, 10> kTakeAnyWord = {
      "location", "upstream",     "map",   "geo",         "split_clients",
      "if",       "limit_except", "match", "charset_map", "types"};
  if (std::ranges::find(kTakeAnyWord, node.name()) != kTakeAnyWord.end()) return false;
  return std::ranges::any_of(node.arguments(), [&](const Word& word) {
    return std::ranges::find(kBlocks, word.value) != kBlocks.end();
  });
}

bool for_servers(std::string_view name) {
  return name == "ssl_certificate" || name == "ssl_certificate_key";
}

bool for_upstreams(std::string_view name, bool stream) {
  std::string_view protocol = name.substr(0, name.find("_ssl_certificate"));
  return protocol == "proxy" || (!stream && (protocol == "grpc" || protocol == "uwsgi"));
}

// True if another file makes a binding of the directive.
bool is_understood(Context context, std::string_view name) {
  switch (context) {
    case Context::http:
    case Context::http_server:
      return for_servers(name) || for_upstreams(name, false);
    case Context::location:
      return for_upstreams(name, false);
    case Context::stream:
    case Context::stream_server:
      return for_servers(name) || for_upstreams(name, true);
    case Context::data:
      return true;  // a line of a map, not a directive
    default:
      return false;
  }
}

void collect(const Config& config, size_t begin, size_t end, Context context,
             std::vector<Diagnostic>& strays) {
  for (size_t i = begin; i < end; i = config.nodes[i].next) {
    const Node& node = config.nodes[i];
    std::string_view name = node.name();
    if (node.at().block && seems_to_lack_a_semicolon(node))
      strays.push_back(diagnostic_at(
          Severity::error, *node.file, node.name_word(),
          fmt::format("a ; is missing after {}, so nginx takes the next block for a part of it",
                      printable(name))));
    if (node.at().block) {
      collect(config, i + 1, node.next, enter(context, name), strays);
    } else if (overrides_certificate(node)) {
      strays.push_back(diagnostic_at(
          Severity::warning, *node.file, node.name_word(),
          fmt::format("{} {} overrides the {} of the same key type: certrebind does not change it",
                      printable(name), printable(node.arguments().front().value),
                      name.starts_with("ssl") ? "ssl_certificate" : "certificate for upstreams")));
    } else if (names_certificate(name) && !is_understood(context, name)) {
      strays.push_back(
          diagnostic_at(Severity::warning, *node.file, node.name_word(),
                        fmt::format("{} in {} is left alone", printable(name), text_of(context))));
    }
  }
}

}  // namespace

std::vector<Diagnostic> stray_certificates(const Config& config) {
  std::vector<Diagnostic> strays;
  collect(config, 0, config.nodes.size(), Context::main, strays);
  return strays;
}

}  // namespace certrebind::nginx
