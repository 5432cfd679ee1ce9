// For tests: a configuration in memory, and what the Apache code finds in it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "service/apache/bindings.h"
#include "service/apache/config.h"
#include "service/rooted_for_test.h"

namespace certrebind::apache {

// The main file is /etc/apache2/apache2.conf, and mod_ssl and mod_macro are compiled in.
struct View : Rooted {
  explicit View(const Texts& texts) : Rooted(texts) {
    given.main_file = "/etc/apache2/apache2.conf";
    given.server_root = "/etc/apache2";
    given.modules = {"core.c", "mod_so.c", "http_core.c", "mod_ssl.c", "mod_macro.c"};
    given.version = {2, 4, 57};
  }
  static View of(const std::string& text) {
    return View(Texts{{"/etc/apache2/apache2.conf", text}});
  }

  Config config() {
    auto read = read_config(given, root);
    EXPECT_TRUE(read.has_value());
    return read ? std::move(*read) : Config{};
  }
  Discovery discovery() { return discover_bindings(config(), root); }

  Given given;
};

// One line for each directive and section: its words with blanks between.
inline std::vector<std::string> node_lines(const Config& config) {
  std::vector<std::string> lines;
  for (const Node& node : config.nodes) {
    std::vector<std::string> words;
    for (const Word& word : node.words) words.emplace_back(word.value);
    lines.push_back(join(words, " "));
  }
  return lines;
}

inline std::vector<std::string> messages(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> texts;
  for (const Diagnostic& diagnostic : diagnostics) texts.push_back(diagnostic.text());
  return texts;
}

// One line for each endpoint: "site cert @address names…"; "-" is a handshake without SNI.
inline std::vector<std::string> binding_lines(const Discovery& discovery) {
  std::vector<std::string> all;
  for (const Binding& binding : discovery.bindings) {
    std::string head = binding.site + " " + file_name(binding.certificate.path);
    if (binding.endpoints.empty()) all.push_back(head);
    for (const Endpoint& endpoint : binding.endpoints) {
      std::string line = head + " @" + endpoint.address.text();
      for (const std::string& name : endpoint.probe_names) line += " " + name;
      if (endpoint.without_sni) line += " -";
      if (endpoint.proxy_protocol) line += " PROXY";
      if (!endpoint.unproven.empty()) line += " UNPROVEN";
      all.push_back(line);
    }
  }
  return all;
}

}  // namespace certrebind::apache
