// The contract between the kinds of servers and the transaction: services describe, the transaction
// acts. Everything here is data; nothing here writes, signals or connects.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "service/trust.h"
#include "store/on_disk.h"
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

// A file beside a certificate that belongs to this one certificate, and is stale with another.
struct Companion {
  enum class Kind {
    ocsp_response,  // DER; empty: none
    issuer,         // the issuer's certificate, PEM
    timestamps,     // a SignedCertificateTimestampList (RFC 6962 section 3.3)
  };
  Kind kind = Kind::ocsp_response;
  std::string path;  // absolute on this host; the file exists
};

// A site's use of a certificate.
struct Binding {
  std::string site;  // what a person calls it: the first name, else the listener
  // The names that clients use and a certificate has to cover, lower case: host names, IP addresses
  // and "*.example.com". Regexes, and patterns that no certificate can cover, are left out.
  std::vector<std::string> names;
  // The names are those of the certificate that lies in its file now: what the server has may be
  // for others.
  bool named_by_certificate = false;
  std::vector<std::string>
      unprobed_names;  // regexes and others that cannot be sent as SNI, as written
  std::vector<Endpoint> endpoints;
  Role role = Role::server;
  NamedFile certificate;
  NamedFile key;  // the same file as `certificate` for a combined PEM
  std::vector<Companion> companions = {};
  // A file for the certificates above the leaf, where the server takes them from there and from
  // nowhere else; empty where they stand behind the leaf.
  NamedFile chain;
  // The file holds one certificate and its key and nothing else: no intermediates.
  bool leaf_alone = false;
  bool stapling = false;  // OCSP stapling is on for this site
  // The cipher suites of this site up to TLS 1.2, as OpenSSL's cipher list (openssl-ciphers(1)).
  // Empty: the server's own default, or TLS 1.3 only; both suit every type of key.
  std::string ciphers = {};
  // A file with the certificate that the server itself will put in this one's place when it is
  // reloaded next; empty where none waits.
  std::string next_certificate = {};
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
  bool hidden = false;       // about a server that this user may not look into
  std::string text() const;  // "file:line:column: message"
};

// An address on which a server takes TCP connections once it has read its configuration anew.
struct ListenAddress {
  Address address;      // as it is bound: a wildcard is "0.0.0.0" or "::"
  std::string where;    // "FILE:LINE"
  bool shared = false;  // others of its user may listen there too (SO_REUSEPORT)
};

struct Discovery {
  std::vector<Binding> bindings;
  std::vector<Diagnostic> diagnostics;
  // Where a change may bring, change or end a binding: the configuration files that were read, and
  // the directories in which others would be found. Real paths on this host.
  std::vector<std::string> configured_by;
  // What tells the server what to do or runs with its rights, as it is named, on this host:
  // configuration files, directories of which files are included, modules and scripts. For
  // who_else_could_change.
  std::vector<std::string> obeyed = {};
  // Of `configured_by`, the directories of which the server reads every file, hidden ones too.
  std::vector<std::string> read_whole = {};
  // Where the server will listen after a reload, as far as that is known, each address once. Those
  // that only the server could bind (transparent ones, of another namespace) are left out.
  std::vector<ListenAddress> listens = {};
  // Every certificate that is named for a server, used or not, as the server's own view has it.
  std::vector<std::string> named = {};
  // What the service had to look at itself, because it chooses by what certificates say: by path as
  // bound, so that nobody reads it again.
  std::unordered_map<std::string, std::shared_ptr<const OnDisk>> looked_at = {};
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

// On what a server's workers take connections.
enum class Listening {
  unknown,      // they are told by their title, or by nothing
  of_master,    // on sockets that their master holds too: any child that has one of these
  of_their_own  // on any listening socket: the children that run the master's own program
};

// How the server takes up new files on a signal.
struct SignalReload {
  int signal = 0;
  std::string name;      // "HUP"
  int pid = 0;           // the master
  uint64_t started = 0;  // its start time: with the pid, an identity
  // What those of its children are called, as their whole first argument, that take connections.
  // After the signal, a proof counts once none of the earlier ones is called so any more. Empty:
  // they are not told by name.
  std::string workers;
  // How they are told where names do not tell: by the listening sockets that they hold and close
  // when they are to end.
  Listening workers_listen = Listening::unknown;
};

// A conversation with a running server over its control socket, as a pure state machine. Each
// request goes over a connection of its own; the server ends its answer by closing it.
class SocketConversation {
 public:
  virtual ~SocketConversation() = default;
  // What to send next; nothing when it is over. It may hold a private key: it goes to the socket
  // and nowhere else.
  virtual std::optional<std::string> request() = 0;
  virtual void hear(std::string_view answer) = 0;
  // When it is over: whether it came to what was wanted.
  virtual Done outcome() const = 0;
};

// Has the server's memory follow certain files without a reload.
class LiveUpdate {
 public:
  virtual ~LiveUpdate() = default;
  virtual Address address() const = 0;
  // Only asks. Code::busy: somebody else's change is under way there, which neither this nor a
  // reload may trample. Any other error: only a reload brings these files up, and why.
  virtual std::unique_ptr<SocketConversation> question() const = 0;
  // Has the server hold what lies on disk now, all of it or, as far as it can tell, nothing.
  // `resumed`: a change found half done may be what a crash left of ours, and is taken back first.
  virtual Result<std::unique_ptr<SocketConversation>> update(bool resumed) const = 0;
};

// Asks a running server which certificates it has.
class LoadedView : public SocketConversation {
 public:
  virtual Address address() const = 0;
  // Those in use that its configuration was not seen to name, by its own names.
  virtual std::vector<std::string> unseen() const = 0;
};

struct Reload {
  // Unset: the server is not running; nothing is signalled, and proof is owed.
  std::optional<SignalReload> signal = {};
  // Not empty: it runs, but only a restart has it load anew, and why. `signal` then only says which
  // process it is.
  std::string restart_only = {};
  // Unset, or: how these files (real paths on this host) are brought up while it runs. Null where
  // one of them is none that it could take up so.
  std::function<std::unique_ptr<LiveUpdate>(const std::vector<std::string>& files)> live = {};
  // Unset, or gives null: it cannot be asked what it has loaded.
  std::function<std::unique_ptr<LoadedView>()> view = {};
};

// What a bad certificate at reload does to the server.
enum class OnBadCertificate { keeps_old, dies };

// What some servers tell beyond the outcome of their test. What it gives lives as long as the
// service.
struct SelfReport {
  // The same test, which also tells which certificates the server would load.
  std::optional<Command> own_view = {};
  // Where what it told differs from what was found here (Discovery::named).
  std::function<std::vector<Diagnostic>(const CommandOutput& own_view,
                                        const std::vector<std::string>& named)>
      doubts = {};
  // Where the test does not load what a reload loads: the server itself, started apart from the
  // world and ended again. Reads the configuration.
  std::function<std::optional<Rehearsal>()> rehearsal = {};
};

class Service {
 public:
  virtual ~Service() = default;
  virtual const ServiceId& id() const = 0;
  // Whose it is. A doubt may be added when what it reads was looked at.
  const Trust& trust() const { return trust_; }
  void set_trust(Trust trust) { trust_ = std::move(trust); }
  // The files of this host as its owner sees them.
  virtual const Files& files() const = 0;
  // Every binding, and what was not understood. An error only if the main file cannot be read.
  virtual Result<Discovery> bindings() const = 0;
  // The edits that make `binding` name `files` instead. Code::unsupported where no directive can
  // name them: the bound file is rebuilt then.
  virtual Result<std::vector<FileEdit>> repoint(const Binding& binding,
                                                const CertificateFiles& files) const = 0;
  virtual std::optional<Command> config_test() const = 0;
  // Unset where the server tells no more than its test.
  virtual std::optional<SelfReport> self_report() const = 0;
  virtual Reload reload() const = 0;
  virtual OnBadCertificate on_bad_certificate() const = 0;
  // The user that reads keys: 0 where a root master does.
  virtual uint32_t key_reader() const = 0;

 private:
  Trust trust_;
};

inline std::optional<Command> own_view_of(const Service& service) {
  auto report = service.self_report();
  return report ? report->own_view : std::nullopt;
}
inline std::optional<Rehearsal> rehearsal_of(const Service& service) {
  auto report = service.self_report();
  return report && report->rehearsal ? report->rehearsal() : std::nullopt;
}

}  // namespace certrebind
