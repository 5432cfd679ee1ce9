// Preflight: every check of NEW that is possible before a server is touched. Each finding is a
// sentence with the fact, and the next command.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/service.h"
#include "store/risk.h"
#include "survey/identify.h"

namespace certrebind {

struct Finding {
  Severity severity = Severity::error;  // error: refuses this succession for this service
  std::string sentence;
  std::string next;               // a command or an action; may be empty
  std::optional<Risk> risk = {};  // set: a person may accept it
};

bool refuses(const std::vector<Finding>& findings);

// Whether the server has a passphrase for the key. Then the key may be encrypted.
enum class Passphrase { none, known };

// What a person accepted becomes a warning. For the rest, `next` says how to accept it: `command`
// with --accept.
void accept(const Risks& accepted, const std::string& command, std::vector<Finding>& findings);

// Checks NEW itself, and compares it with OLD. OLD = NEW is a forced reload: nothing is compared.
// An earlier expiry (Risk::shorter) is a warning if NEW was issued after OLD.
std::vector<Finding> preflight_certificate(const OldCertificate& old_one,
                                           const NewCertificate& new_one, WallTime now);

// The same without the chain, because each binding may send the chain in its own way.
std::vector<Finding> preflight_but_chain(const OldCertificate& old_one,
                                         const NewCertificate& new_one, WallTime now,
                                         Passphrase passphrase = Passphrase::none);

// Checks that clients that could build a chain from `before` can build one from `after`. `path` is
// the file of the new chain. `knows_before`: it is known what was sent above the leaf, or that
// nothing was.
std::vector<Finding> preflight_chain(const Bundle& before, bool knows_before, const Bundle& after,
                                     const std::string& path);

// Checks that the intermediates of a chain that is sent from a file of its own are valid CAs.
std::vector<Finding> preflight_intermediates(const Bundle& sent, const std::string& path,
                                             WallTime now);

// Only the checks that do not depend on OLD and would make every client fail: shape, key and
// validity.
std::vector<Finding> preflight_itself(const OldCertificate& old_one, const NewCertificate& new_one,
                                      WallTime now, Passphrase passphrase = Passphrase::none);

// Set if the file at `path` is still a link of an interrupted swap: writing would go through the
// link, and whoever removes the hidden file that it leads to would break the site.
std::optional<Finding> preflight_leftover(const Files& files, const std::string& path);

// Checks one binding that will serve NEW instead of OLD.
std::vector<Finding> preflight_binding(const Binding& binding, const OldCertificate& old_one,
                                       const NewCertificate& new_one);

// Checks a certificate that comes into certrebind's own store, where no site is known yet.
// `replaced`: the one that it succeeds there; null if there is none.
std::vector<Finding> preflight_stored(const OldCertificate* replaced, const NewCertificate& new_one,
                                      WallTime now);

// The binding's names that OLD covers and NEW does not; and that NEW covers and OLD does not.
std::vector<std::string> names_lost(const Binding& binding, const Certificate& old_one,
                                    const Certificate& new_one);
std::vector<std::string> names_won(const Binding& binding, const Certificate& old_one,
                                   const Certificate& new_one);

}  // namespace certrebind
