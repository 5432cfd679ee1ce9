#include "lifecycle/details.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "x509/certificate.h"

namespace certrebind {

namespace {

using nlohmann::json;

std::string text_of(const json& details) {
  return details.dump(-1, ' ', false, json::error_handler_t::replace);
}

// A certificate that cannot be parsed has thumbprints only.
json describe(const Described& one) {
  if (one.der.empty()) return nullptr;
  json about = {{"thumbprint", Thumbprint::of_der(one.der).hex()},
                {"sha1", sha1_thumbprint(one.der)}};
  if (!one.path.empty()) about["path"] = printable(one.path);
  auto certificate = Certificate::parse(one.der);
  if (!certificate) return about;
  const CertificateOutline& outline = certificate->outline;
  json names = json::array();
  for (const std::string& name : outline.names) names.push_back(printable(name));
  about.update({{"subject", printable(certificate->subject_line)},
                {"issuer", printable(certificate->issuer_line)},
                {"names", std::move(names)},
                {"eku", certificate->extended_key_usages},
                {"not_before", to_rfc3339(outline.not_before)},
                {"not_after", to_rfc3339(outline.not_after)}});
  return about;
}

}  // namespace

std::string details_of(const ReplacedDetails& details) {
  json about = {{"old", describe(details.old_one)},
                {"new", describe(details.new_one)},
                {"how", to_text(details.how)},
                {"lineage", printable(parent_directory(details.new_one.path))}};
  if (!details.renewer.empty()) about["renewer"] = details.renewer;
  if (!details.key_path.empty()) about["key_path"] = printable(details.key_path);
  return text_of(about);
}

std::string details_of(const Described& certificate) {
  return text_of({{"certificate", describe(certificate)}});
}

}  // namespace certrebind
