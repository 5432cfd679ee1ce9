#include "store/certmonger.h"

#include "base/text.h"
#include "store/renewer_text.h"

namespace certrebind {

std::vector<CertmongerRequest> certmonger_requests(const Files& files,
                                                   const std::string& directory) {
  std::vector<CertmongerRequest> requests;
  auto names = files.list(directory + "/requests");
  if (!names) return requests;
  for (const std::string& name : *names) {
    std::string file = directory + "/requests/" + name;
    auto text = files.read(file, kPemLimit);
    if (!text) continue;
    Values values = plain_values(*text);
    if (values["cert_storage_type"] != "FILE" || values["cert_storage_location"].empty()) continue;
    bool key_in_file = values["key_storage_type"] == "FILE";
    requests.push_back({.id = values["id"].empty() ? name : values["id"],
                        .file = file,
                        .certificate_path = values["cert_storage_location"],
                        .key_path = key_in_file ? values["key_storage_location"] : "",
                        .after_saving = values["post_certsave_command"],
                        .renews = values["autorenew"] == "1"});
  }
  return requests;
}

}  // namespace certrebind
