#include "service/apache/own_view.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace certrebind::apache {

namespace {

std::set<std::string> theirs_of(std::string_view printed) {
  std::set<std::string> paths;
  for (const std::string& line : split(printed, '\n'))
    if (line.starts_with("  ")) paths.insert(line.substr(2));
  return paths;
}

}  // namespace

std::vector<std::string> named_certificates(const Hosts& hosts, const std::string& server_root) {
  std::vector<std::string> paths;
  for (const Host& host : hosts.all)
    for (const Value& value : host.tls.certificates)
      paths.push_back(value.text().starts_with("pkcs11:")
                          ? std::string(value.text())
                          : normalized(absolute_in(server_root, value.text())));
  std::ranges::sort(paths);
  paths.erase(std::ranges::unique(paths).begin(), paths.end());
  return paths;
}

Difference compare_certificates(const std::vector<std::string>& named, std::string_view printed) {
  std::set<std::string> theirs = theirs_of(printed);
  Difference difference;
  std::ranges::set_difference(theirs, named, std::back_inserter(difference.only_theirs));
  std::ranges::set_difference(named, theirs, std::back_inserter(difference.only_ours));
  return difference;
}

}  // namespace certrebind::apache
