#include "store/read_pem.h"

#include <algorithm>

#include "base/secret.h"
#include "sys/processes.h"
#include "x509/key.h"
#include "x509/pem.h"
#include "x509/pkcs12.h"

namespace certrebind {

Result<std::string> read_pem(const Files& files, const std::string& path, size_t limit) {
  auto bytes = files.read(path, limit);
  if (!bytes || bytes->starts_with('-') || !is_pkcs12(*bytes)) return bytes;
  // Its keys are derived at a cost that whoever wrote it chose.
  if (auto info = files.stat(path); !info || (info->owner != 0 && info->owner != own_user()))
    return bytes;
  auto content = read_pkcs12(*bytes, nullptr);
  if (!content) return bytes;
  std::string keys;
  for (std::string& key : content->keys) {
    keys += key;
    Secret::wipe(key);
  }
  std::ranges::stable_partition(content->certificates, [&](const std::string& der) {
    return key_state(keys, std::string_view(der)) == KeyState::matches;
  });
  std::string pem;
  for (const std::string& der : content->certificates) pem += pem_encode_certificate(der);
  return pem + keys;
}

std::string why_no_certificate(const std::string& text) {
  constexpr const char* kJks = "\xfe\xed\xfe\xed";
  constexpr const char* kJceks = "\xce\xce\xce\xce";
  if (text.starts_with(kJks) || text.starts_with(kJceks))
    return "it is a Java keystore, which certrebind neither reads nor writes";
  if (is_pkcs12(text))
    return "it is a PKCS #12 file under a password, or of another user, which certrebind does not "
           "read";
  return "it holds no certificate";
}

}  // namespace certrebind
