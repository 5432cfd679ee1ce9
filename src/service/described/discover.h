// Finds the instances of described services.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "service/described/described.h"
#include "sys/host.h"

namespace certrebind::described {

using Descriptions = std::vector<std::shared_ptr<const Description>>;

// Reads a description. Descriptions say what root runs: Code::denied if others than root (or this
// user) can change the file or the way there; Code::usage for a mistake.
Result<Description> read_description(const Host& host, const std::string& path);

// The product's descriptions (services.d/), and those of the directory Host::descriptions, one for
// each file NAME.toml. The administrator's description of a kind replaces the product's. A file
// that has a mistake, or that others than root (or this user) can change, becomes a diagnostic.
Descriptions all_descriptions(const Host& host, std::vector<Diagnostic>& diagnostics);

// An instance for every running process that one of these describes.
Result<std::vector<Instance>> running_instances(const Descriptions& descriptions, const Host& host,
                                                std::vector<Diagnostic>& diagnostics);

// Takes a configuration on this host, as typed. The running instance that uses it, otherwise one
// that does not run. Code::not_found if the file does not exist.
Result<Instance> instance_for(const std::shared_ptr<const Description>& description,
                              const std::string& configuration, const Host& host,
                              std::vector<Diagnostic>& diagnostics);

}  // namespace certrebind::described
