// The certificate file at a path: the outline of its leaf, or all certificates.
#pragma once

#include <optional>
#include <string>

#include "sys/files.h"
#include "x509/bundle.h"

namespace certrebind {

struct OnDisk {
  std::optional<CertificateOutline> certificate;
  std::string der;      // of the leaf
  std::string problem;  // why there is no certificate; empty if there is one
};

// Reads the leaf at `path`.
OnDisk look_at(const Files& files, const std::string& path);

// Reads the leaf and the chain from this PEM file. An error names the file.
Result<Bundle> read_bundle(const Files& files, const std::string& path);

}  // namespace certrebind
