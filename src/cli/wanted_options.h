// The names and the key of a certificate that is made or asked for here.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "x509/request.h"

namespace certrebind {

struct WantedOptions {
  std::vector<std::string> names;
  std::string key_type = "ec";
  int bits = 0;

  WantedCertificate wanted() const {
    return {.names = names,
            .key_type = key_type == "rsa" ? KeyType::rsa : KeyType::ecdsa,
            .key_bits = bits};
  }
};

inline std::vector<CommandOption> wanted_options(WantedOptions& options) {
  return {
      {"NAME", &options.names, "host names and IP addresses of the site", "NAME", Need::required},
      {"--key-type", &options.key_type, "ec (default) or rsa", "TYPE", Need::optional,
       [](const std::string& typed) {
         return typed == "ec" || typed == "rsa" ? "" : "it is neither ec nor rsa";
       }},
      {"--bits", &options.bits, "of the key: 256, 384, 521; RSA: 2048 to 8192", "N"}};
}

}  // namespace certrebind
