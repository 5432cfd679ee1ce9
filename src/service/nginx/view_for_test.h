// For tests: a configuration in memory, and what the nginx code finds in it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "service/nginx/bindings.h"
#include "service/nginx/config.h"
#include "service/rooted_for_test.h"

namespace certrebind::nginx {

// The main file is /etc/nginx/nginx.conf.
struct View : Rooted {
  using Rooted::Rooted;
  static View of(const std::string& text) { return View(Texts{{"/etc/nginx/nginx.conf", text}}); }

  Config config() {
    auto read = read_config("/etc/nginx/nginx.conf", root);
    EXPECT_TRUE(read.has_value());
    return read ? std::move(*read) : Config{};
  }
  Discovery discovery() { return discover_bindings(config(), root); }
};

inline std::vector<std::string> messages(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> texts;
  for (const Diagnostic& diagnostic : diagnostics) texts.push_back(diagnostic.text());
  return texts;
}

// One line for each endpoint: "site cert @address names…"; "-" is a handshake without SNI.
inline std::vector<std::string> lines(const Discovery& discovery) {
  std::vector<std::string> all;
  for (const Binding& binding : discovery.bindings) {
    std::string head = binding.site + " " + file_name(binding.certificate.path);
    if (binding.endpoints.empty()) all.push_back(head);
    for (const Endpoint& endpoint : binding.endpoints) {
      std::string line = head + " @" +
                         (endpoint.address.unix_path.empty()
                              ? endpoint.address.host + ":" + std::to_string(endpoint.address.port)
                              : endpoint.address.unix_path);
      for (const std::string& name : endpoint.probe_names) line += " " + name;
      if (endpoint.without_sni) line += " -";
      if (endpoint.proxy_protocol) line += " PROXY";
      if (!endpoint.unproven.empty()) line += " UNPROVEN";
      all.push_back(line);
    }
  }
  return all;
}

}  // namespace certrebind::nginx
