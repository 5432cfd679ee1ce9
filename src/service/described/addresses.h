// Listening addresses as configurations write them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/host_names.h"
#include "sys/network.h"

namespace certrebind::described {

struct ListenText {
  std::string text;                // as shown to people: "*:993"
  std::vector<Address> addresses;  // as bound; a wildcard is "0.0.0.0" or "::"
  std::string problem;             // not empty: why it is not understood
};

// Takes a list of addresses, divided by blanks or commas, and a port. An empty port means that each
// address has its own: "HOST:PORT", "HOST@PORT", "[V6]:PORT", ":PORT" or "PORT"; a URL without one
// has that of its scheme. "*", "all" and an empty address mean every address; names are looked up
// in /etc/hosts. A port may be a name of /etc/services.
std::vector<ListenText> parse_addresses(const std::string& addresses, const std::string& port,
                                        HostNames& hosts);

// The port number; names of services/STARTTLS protocols are known. Unset for anything else.
std::optional<uint16_t> port_number(const std::string& text);

}  // namespace certrebind::described
