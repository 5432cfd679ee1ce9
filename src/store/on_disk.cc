#include "store/on_disk.h"

#include "store/read_pem.h"
#include "x509/pem.h"

namespace certrebind {

OnDisk look_at(const Files& files, const std::string& path) {
  OnDisk disk;
  auto bytes = read_pem(files, path);
  if (!bytes) {
    disk.problem = bytes.error().cause;
    return disk;
  }
  auto block = first_certificate_block(*bytes);
  if (!block) {
    disk.problem = why_no_certificate(*bytes);
    return disk;
  }
  auto der = pem_decode(*block);
  auto outline = der ? outline_of(*der) : Result<CertificateOutline>(pass(der));
  if (!outline) {
    disk.problem = "its certificate cannot be read: " + outline.error().cause;
    return disk;
  }
  disk.der = std::move(*der);
  disk.certificate = std::move(*outline);
  return disk;
}

Result<Bundle> read_bundle(const Files& files, const std::string& path) {
  auto bytes = read_pem(files, path);
  if (!bytes) return pass(bytes);
  auto bundle = Bundle::parse(*bytes);
  if (bundle) return bundle;
  Error error = bundle.error();
  error.subject = error.subject.empty() ? path : path + ": " + error.subject;
  return fail(std::move(error));
}

}  // namespace certrebind
