#include "service/apache/own_view.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "service/apache/hosts.h"

namespace certrebind::apache {

namespace {

std::set<std::string> theirs_of(std::string_view printed) {
  std::set<std::string> paths;
  for (const std::string& line : split(printed, '\n'))
    if (line.starts_with("  ")) paths.insert(line.substr(2));
  return paths;
}

std::set<std::string> ours_of(const Config& config, Root& root) {
  std::set<std::string> paths;
  HostNames names(root);
  for (const Host& host : read_hosts(config, names).all)
    for (const Value& value : host.tls.certificates)
      paths.insert(value.text().starts_with("pkcs11:")
                       ? std::string(value.text())
                       : normalized(absolute_in(config.server_root, value.text())));
  return paths;
}

}  // namespace

Difference compare_certificates(const Config& config, Root& root, std::string_view printed) {
  std::set<std::string> theirs = theirs_of(printed);
  std::set<std::string> ours = ours_of(config, root);
  Difference difference;
  std::ranges::set_difference(theirs, ours, std::back_inserter(difference.only_theirs));
  std::ranges::set_difference(ours, theirs, std::back_inserter(difference.only_ours));
  return difference;
}

}  // namespace certrebind::apache
