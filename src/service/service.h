// The contract between the kinds of servers and the transaction: services describe, the transaction
// acts. Everything here is data; nothing here writes, signals or connects.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/files.h"
#include "sys/network.h"
#include "sys/processes.h"

namespace certrebind {

// One instance of a server program: "nginx:/etc/nginx/nginx.conf".
struct ServiceId {
  std::string kind;
  std::string path;  // its main configuration file, on this host
  std::string text() const { return kind + ":" + path; }
  auto operator<=>(const ServiceId&) const = default;
};

// Where something is written in a configuration file.
struct Span {
  std::string file;  // real path on this host
  size_t begin = 0;  // byte offsets of the value as written, quotes included
  size_t end = 0;
  int line = 0;    // from 1
  int column = 0;  // from 1, in bytes
  std::string text() const { return file + ":" + std::to_string(line); }
  auto operator<=>(const Span&) const = default;
};

// A file that a directive names.
struct NamedFile {
  std::string path;  // absolute on this host, links not followed; empty where it is not a file
  Span where;
  std::string written;  // the value as it stands there, quotes included
};

// A place where a site answers, with the names that reach this binding there.
struct Endpoint {
  Address address;                       // connectable: a wildcard is given as loopback
  std::string listens;                   // as written: "*:443", "[::]:443", "unix:/run/x.sock"
  bool proxy_protocol = false;           // a PROXY header must come first
  std::vector<std::string> probe_names;  // SNI to send, each proven to lead to this site
  bool without_sni = false;              // this binding answers when no name is sent
  // Not empty: this endpoint cannot be proven by a handshake, and why (QUIC without a TCP twin, an
  // address that only a more specific listener answers on).
  std::string unproven;
};

enum class Role { server, client };

// A site's use of a certificate.
struct Binding {
  std::string site;  // what a person calls it: the first name, else the listener
  // The names that clients use and a certificate has to cover, lower case: host names, IP addresses
  // and "*.example.com". Regexes, and patterns that no certificate can cover, are left out.
  std::vector<std::string> names;
  std::vector<std::string>
      unprobed_names;  // regexes and others that cannot be sent as SNI, as written
  std::vector<Endpoint> endpoints;
  Role role = Role::server;
  NamedFile certificate;
  NamedFile key;  // the same file as `certificate` for a combined PEM
  // A file for the certificates above the leaf, where the server takes them from there and from
  // nowhere else; empty where they stand behind the leaf.
  NamedFile chain;
  // The file holds one certificate and its key and nothing else: no intermediates.
  bool leaf_alone = false;
  bool stapling = false;  // OCSP stapling is on for this site
  // Not empty: why no plan may touch what names this certificate ("the path contains a variable").
  std::string not_editable;
};

enum class Severity { note, warning, error };

// Something in a configuration worth telling a person, with its place.
struct Diagnostic {
  Severity severity = Severity::warning;
  std::string file;
  int line = 0;  // 0: the whole file
  int column = 0;
  std::string message;
  std::string text() const;  // "file:line:column: message"
};

struct Discovery {
  std::vector<Binding> bindings;
  std::vector<Diagnostic> diagnostics;
  // Where a change may bring, change or end a binding: the configuration files that were read, and
  // the directories in which others would be found. Real paths on this host.
  std::vector<std::string> configured_by;
};

// A certificate's files as a directive would name them. For a combined PEM both are the same path.
struct CertificateFiles {
  std::string certificate;
  std::string key;
};

// Replace bytes [begin, end) of a file.
struct FileEdit {
  Span where;
  std::string expected;  // what stands there; anything else, and the file has changed since
  std::string replacement;
};

// How the server takes up new files.
struct SignalReload {
  int signal = 0;
  std::string name;      // "HUP"
  int pid = 0;           // the master
  uint64_t started = 0;  // its start time: with the pid, an identity
  // What those of its children are called, as their whole first argument, that take connections.
  // After the signal, a proof counts once none of the earlier ones is called so any more. Empty:
  // they are not told by name.
  std::string workers;
  // Those of its children take connections that hold one of the master's listening sockets, and
  // they close them when they are to end. Without this and a name handshakes alone tell.
  bool workers_hold_listeners = false;
};
struct Reload {
  // Unset: the server is not running; nothing is signalled, and proof is owed.
  std::optional<SignalReload> signal;
};

// What a bad certificate at reload does to the server.
enum class Temper { keeps_old, tls_off, dies };

class Service {
 public:
  virtual ~Service() = default;
  virtual const ServiceId& id() const = 0;
  // Every binding, and what was not understood. An error only if the main file cannot be read.
  virtual Result<Discovery> bindings() const = 0;
  // The edits that make `binding` name `files` instead.
  virtual Result<std::vector<FileEdit>> repoint(const Binding& binding,
                                                const CertificateFiles& files) const = 0;
  virtual std::optional<Command> config_test() const = 0;
  // Where the test alone does not load what a reload loads: the server itself, started apart from
  // the world and ended again.
  virtual std::optional<Rehearsal> rehearsal() const = 0;
  // Asks the server itself which certificates it would load, where that is cheap.
  virtual std::optional<Command> own_view() const = 0;
  // Where what it answered differs from what was found here: never passed over in silence.
  virtual std::vector<Diagnostic> doubts(const CommandOutput& own_view) const = 0;
  virtual Reload reload() const = 0;
  virtual Temper temper() const = 0;
  // The user that reads keys: 0 where a root master does.
  virtual uint32_t key_reader() const = 0;
};

}  // namespace certrebind
