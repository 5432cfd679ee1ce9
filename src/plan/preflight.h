// Preflight: everything that can be known about NEW before a server is touched. Each finding is a
// sentence with the fact and the next command.
#pragma once

#include <string>
#include <vector>

#include "service/service.h"
#include "survey/identify.h"

namespace certrebind {

struct Finding {
  Severity severity = Severity::error;  // error: this succession is refused for this service
  std::string sentence;
  std::string next;  // a command or a thing to do; may be empty
};

bool refuses(const std::vector<Finding>& findings);

// Facts about NEW itself, and against OLD. OLD = NEW is a forced reload: nothing is compared then.
std::vector<Finding> preflight_certificate(const OldCertificate& old_one,
                                           const NewCertificate& new_one, WallTime now);

// The same but for the chain, which each binding may send in its own way.
std::vector<Finding> preflight_but_chain(const OldCertificate& old_one,
                                         const NewCertificate& new_one, WallTime now);

// Whether clients that could build a chain from what was sent can build one from what will be sent:
// `path` is where that stands. `knows_before`: what was sent above the leaf is known, or that
// nothing was.
std::vector<Finding> preflight_chain(const Bundle& before, bool knows_before, const Bundle& after,
                                     const std::string& path);

// Of the same only what no client would take, whatever was before: its shape, key and validity.
std::vector<Finding> preflight_itself(const OldCertificate& old_one, const NewCertificate& new_one,
                                      WallTime now);

// Facts about one binding that is to serve NEW instead of OLD.
std::vector<Finding> preflight_binding(const Binding& binding, const OldCertificate& old_one,
                                       const NewCertificate& new_one);

// The binding's names that OLD covers and NEW does not, and the other way round.
std::vector<std::string> names_lost(const Binding& binding, const Certificate& old_one,
                                    const Certificate& new_one);
std::vector<std::string> names_won(const Binding& binding, const Certificate& old_one,
                                   const Certificate& new_one);

}  // namespace certrebind
