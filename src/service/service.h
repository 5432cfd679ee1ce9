// The contract between the kinds of servers and the transaction: services describe, the transaction
// acts. Services only return data. They never write, signal or connect.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/start_tls.h"
#include "service/diagnostic.h"
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

// A file that a directive names.
struct NamedFile {
  std::string path;  // absolute on this host, links not followed; empty if the value is not a file
  Span where;
  // The value as written, quotes included; of a described service only the path in it, which
  // `where` spans. Empty if no edit can name another file there.
  std::string written;
};

// An address on which a site listens, and the names that select this binding there.
struct Endpoint {
  Address address;              // connectable: a wildcard is replaced by a loopback address
  std::string listens;          // as written: "*:443", "[::]:443", "unix:/run/x.sock"
  bool proxy_protocol = false;  // connections start with a PROXY header
  StartTls start_tls = StartTls::none;
  std::vector<std::string> probe_names;  // SNI to send; each name is known to select this site
  bool without_sni = false;              // this binding is used when the client sends no name
  // Not empty: why no handshake can verify this endpoint (QUIC without TCP on the same port, an
  // address that only a more specific listener receives).
  std::string unproven;
};

enum class Role { server, client };

// A file that belongs to one certificate, and is stale for any other.
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
  std::string site;  // the site's name for people: the first name, otherwise the listener
  // The names that clients use and a certificate must cover, in lower case: host names, IP
  // addresses and "*.example.com". Excludes regexes and patterns that no certificate can cover.
  std::vector<std::string> names;
  // The names come from the certificate file on disk. The certificate in the server's memory may
  // have other names.
  bool named_by_certificate = false;
  std::vector<std::string>
      unprobed_names;  // regexes and other names that cannot be sent as SNI, as written
  std::vector<Endpoint> endpoints;
  Role role = Role::server;
  NamedFile certificate;
  NamedFile key;  // the same file as `certificate` for a combined PEM
  std::vector<Companion> companions = {};
  // The file for the certificates above the leaf, if the server reads them only from there. Empty
  // if they follow the leaf in its file.
  NamedFile chain;
  // How many of the bindings that follow in Discovery::bindings are pairs that the same server
  // loads after this one. Of those with one key type it shows only the last.
  size_t further_pairs = 0;
  // Earlier sites have all names of this one, wherever it listens: no handshake can choose it.
  bool never_chosen = false;
  // The file contains one certificate and its key and nothing else: no intermediates.
  bool leaf_alone = false;
  // The server has a passphrase for the key, so the key may be encrypted. Whether it opens the key
  // is for the server's own test to say.
  bool has_passphrase = false;
  bool stapling = false;  // OCSP stapling is on for this site
  // The site's cipher suites up to TLS 1.2, as an OpenSSL cipher list (openssl-ciphers(1)). Empty:
  // the server's default, or TLS 1.3 only; both support every key type.
  std::string ciphers = {};
  // A file with a renewed certificate that the server itself installs at its next reload. Empty if
  // there is none.
  std::string next_certificate = {};
  // The server renews this certificate itself, in its memory only: a reload loads the file again.
  bool renews_in_memory = false;
  // The command that prints the certificate and the key in its memory. Empty if there is none.
  std::string prints_memory = {};
  // Not empty: why no plan may edit the directives of this certificate ("the path contains a
  // variable").
  std::string not_editable;
  // Not empty: why no plan may write these files, and what to do. (Files in a container.)
  std::string not_written = {};
  // Not empty: why a reload does not load these files at its endpoints, although it does at others.
  std::string restart_only = {};
};

// An address on which a server accepts TCP connections after it reads its configuration again.
struct ListenAddress {
  Address address;      // as bound: a wildcard is "0.0.0.0" or "::"
  std::string where;    // "FILE:LINE"
  bool shared = false;  // other processes of the same user may listen there too (SO_REUSEPORT)
};

struct Discovery {
  std::vector<Binding> bindings;
  std::vector<Diagnostic> diagnostics;
  // Paths whose change may add, change or remove a binding: the configuration files, and the
  // directories searched for more of them. Real paths on this host.
  std::vector<std::string> configured_by;
  // Files that control the server or run with its rights, as named, on this host: configuration
  // files, included directories, modules and scripts. For who_else_could_change.
  std::vector<std::string> obeyed = {};
  // The directories of `configured_by` in which the server reads every file, including hidden ones.
  std::vector<std::string> read_whole = {};
  // The addresses on which the server will listen after a reload, as far as known, each once.
  // Excludes addresses that only the server could bind (transparent ones, other namespaces).
  std::vector<ListenAddress> listens = {};
  // The files into which the server itself writes why it could not load its configuration, on this
  // host.
  std::vector<std::string> error_logs = {};
  // Every certificate that is named for a server, used or not, as the server itself reports it.
  std::vector<std::string> named = {};
  // Certificates that the service has read, because it chooses by their content. By path as bound,
  // so that they are not read again.
  std::unordered_map<std::string, std::shared_ptr<const OnDisk>> looked_at = {};
};

// A certificate's files as a directive would name them. Both paths are equal for a combined PEM.
struct CertificateFiles {
  std::string certificate;
  std::string key;
};

// Replaces bytes [begin, end) of a file.
struct FileEdit {
  Span where;
  std::string expected;  // the current bytes; if they differ, the file has changed since
  std::string replacement;
};

// On which sockets a server's workers accept connections.
enum class Listening {
  unknown,      // workers are recognised by their title, or not at all
  of_master,    // on the master's sockets: every child that has one of them is a worker
  of_their_own  // on any listening socket: every child that runs the master's program and has one
                // is a worker
};

// How a signal makes the server load new files.
struct SignalReload {
  int signal = 0;
  std::string name;      // "HUP"
  int pid = 0;           // the master
  uint64_t started = 0;  // its start time: with the pid, an identity
  // The master blocks the signal at times, and takes it when it unblocks it.
  bool may_be_blocked = false;
  // The whole first argument of the worker processes that accept connections. After the signal, a
  // handshake counts as proof once no old process has this title any more. Empty: workers have no
  // recognisable title.
  std::string workers;
  // How to recognise workers without a title: by the listening sockets that they hold, and close
  // when they shut down.
  Listening workers_listen = Listening::unknown;
};

// A conversation with a running server over its control socket, as a pure state machine. Each
// request uses its own connection. The server ends its answer by closing the connection.
class SocketConversation {
 public:
  virtual ~SocketConversation() = default;
  // The next request; unset when the conversation is over. It may contain a private key, so it is
  // sent to the socket only.
  virtual std::optional<std::string> request() = 0;
  virtual void hear(std::string_view answer) = 0;
  // After the end: whether the conversation succeeded.
  virtual Done outcome() const = 0;
};

// Loads changed files into the server's memory without a reload.
class LiveUpdate {
 public:
  virtual ~LiveUpdate() = default;
  virtual Address address() const = 0;
  // Only queries the server. Code::busy: another program's change is in progress, which neither
  // this update nor a reload may disturb. Any other error: only a reload can load these files, and
  // why.
  virtual std::unique_ptr<SocketConversation> question() const = 0;
  // Loads the files on disk into the server: all of them or, as far as the server can tell, none.
  // `resumed`: a half-done change in the server may be left over from our crash, and is reverted
  // first.
  virtual Result<std::unique_ptr<SocketConversation>> update(bool resumed) const = 0;
};

// Asks a running server which certificates it has loaded.
class LoadedView : public SocketConversation {
 public:
  virtual Address address() const = 0;
  // Certificates in use that its configuration does not name, by the server's own names.
  virtual std::vector<std::string> unseen() const = 0;
};

// Commands that make the server load new files, run one after the other.
struct CommandReload {
  std::vector<Command> commands;
  milliseconds deadline{30'000};  // for each
};

// A text that makes the server load new files, said to a socket of its own. It may contain a
// password, so it is sent to the socket only.
struct SocketReload {
  Address address;
  std::string say;  // the server closes the connection after its answer
  // A pattern that the whole answer fits, without carriage returns and blanks around (base/text.h).
  std::string answer;
  milliseconds deadline{30'000};
};

struct Reload {
  // Unset: the server is not running. Nothing is signalled, and the proof is deferred.
  std::optional<SignalReload> signal = {};
  // Not empty: the server runs, but only a restart makes it load new files, and why. `signal` then
  // only identifies the process.
  std::string restart_only = {};
  // If set, these commands make it load new files; `signal` then only identifies the process.
  std::optional<CommandReload> commands = {};
  // If set, this makes it load new files; `signal` then only identifies the process.
  std::optional<SocketReload> socket = {};
  // The server reads its files anew for each connection, or notices a change by itself. Nothing is
  // done, and `signal` only identifies the process.
  bool per_connection = false;
  // How long the server may go on with the old files after all this.
  milliseconds may_cache{0};
  // Prints which certificates the server has loaded (names_certificate). Unset: nothing does.
  std::optional<Command> loaded = {};
  // If set: creates the live update for these files (real paths on this host). Null if one of them
  // cannot be updated live.
  std::function<std::unique_ptr<LiveUpdate>(const std::vector<std::string>& files)> live = {};
  // Unset, or returns null: the server cannot report which certificates it has loaded.
  std::function<std::unique_ptr<LoadedView>()> view = {};
};

// What the server does on a bad certificate at reload.
enum class OnBadCertificate {
  keeps_old,
  tls_off,  // it goes on without TLS, or refuses every handshake
  dies
};

// What some servers report beyond the result of their configuration test. Its functions are valid
// as long as the service.
struct SelfReport {
  // The same test, which also reports which certificates the server would load.
  std::optional<Command> own_view = {};
  // The differences between the server's report and our own findings (Discovery::named).
  std::function<std::vector<Diagnostic>(const CommandOutput& own_view,
                                        const std::vector<std::string>& named)>
      doubts = {};
  // For servers whose configuration test does not load everything that a reload loads: starts the
  // server itself in isolation and ends it again. Reads the configuration.
  std::function<std::optional<Rehearsal>()> rehearsal = {};
};

// The units of a server whose own reload does it harm, or loads nothing (systemctl reload).
struct UnsafeReload {
  std::vector<std::string> units;  // without ".service"
  std::string why;                 // "it sends HUP, which ends Squid if a pair is bad"
};

class Service {
 public:
  virtual ~Service() = default;
  virtual const ServiceId& id() const = 0;
  // The owner of the server. A doubt may be added after the files that it reads were checked.
  const Trust& trust() const { return trust_; }
  void set_trust(Trust trust) { trust_ = std::move(trust); }
  // The files of this host as the server's owner sees them.
  virtual const Files& files() const = 0;
  // All bindings, and diagnostics for what was not understood. An error only if the main file
  // cannot be read.
  virtual Result<Discovery> bindings() const = 0;
  // The edits that make `binding` name `files` instead. Code::unsupported if no directive can name
  // them; then the bound file is rewritten.
  virtual Result<std::vector<FileEdit>> repoint(const Binding& binding,
                                                const CertificateFiles& files) const = 0;
  virtual std::optional<Command> config_test() const = 0;
  // Unset if the server reports no more than the result of its test.
  virtual std::optional<SelfReport> self_report() const = 0;
  virtual Reload reload() const = 0;
  virtual OnBadCertificate on_bad_certificate() const = 0;
  // The user id that reads keys: 0 if a root master does.
  virtual uint32_t key_reader() const = 0;
  // Unset if no such unit is known.
  virtual std::optional<UnsafeReload> unsafe_reload() const { return std::nullopt; }
  // Makes `reload` a restart, for the bindings at which nothing else loads new files. `why` is
  // theirs: Binding::restart_only.
  void prefer_restart(std::string why) { restart_for_ = std::move(why); }

 protected:
  const std::string& restart_for() const { return restart_for_; }

 private:
  Trust trust_;
  std::string restart_for_;
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
