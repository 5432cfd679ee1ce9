// A server program as a TOML file describes it (certrebind-services(5)): how to recognise it, where
// its configuration names certificates and listeners, how it reloads. Everything else follows from
// the contract in service/service.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "service/described/source.h"
#include "service/service.h"

namespace certrebind::described {

// Which section of the tree something is about.
struct Place {
  std::string section = {};            // a pattern for its path; empty: the whole configuration
  std::vector<std::string> when = {};  // conditions (template.h), all of which must hold
};

// A section whose settings take the place of others at some listeners.
struct Scope {
  Place place;
  std::string listeners = {};  // a pattern for the sections of these listeners
  std::string address = {};    // a template for the address of these listeners
};

// Where clients connect.
struct Listener {
  Place place;
  std::string group = {};        // shows the certificates of this group only
  std::string address = "*";     // a template; may have several addresses, or HOST:PORT
  std::string separator = {};    // divides the addresses; empty: blanks and commas
  std::string port = {};         // a template; may have several; empty: the address has the port
  std::string start_tls = {};    // a template for the dialect; empty: TLS from the first byte
  std::string direct_when = {};  // a condition under which TLS begins with the first byte after all
  std::string direct_ports = {};  // a template: the ports at which it does
  bool sni = true;                // shows certificates by the name that the client sends
  std::string proxy_when = {};    // a condition under which a PROXY header comes first
  std::string unproven = {};      // why no handshake proves a renewal here
  std::string restart_only = {};  // why only a restart loads new files here
};

// In which order a combined file has its parts does not matter: it is kept.
struct CertificateSettings {
  Place place;
  std::string group = {};   // shown by the listeners of this group only
  std::string certificate;  // the setting that names the certificate
  std::string key = {};     // the setting that names the key; empty: in the certificate's file
  std::string chain = {};   // the setting that names the chain, if it is apart
  // Two texts. The key, if it exists, has the certificate's path with the second in place of the
  // first.
  std::vector<std::string> key_beside = {};
  std::string prefix = {};     // stands before a path and is no part of it ("<")
  std::string separator = {};  // not empty: the setting is a list of files
  // What is used where a setting is not set; empty: nothing.
  std::string default_certificate = {};
  std::string default_key = {};
  std::string directory = {};  // a template: where relative paths begin; empty: {directory}
  std::string names = {};      // a template for the host names that choose it; empty: for all names
  // Clients choose it by a name in the certificate; with `hosts`, a template, only by one of these
  // names.
  bool chosen_by_certificate = false;
  std::string hosts = {};
  bool start_tls_only = false;  // not shown where TLS begins with the first byte
  bool client = false;          // what the program shows to other servers, as their client
  // With `names`: a template for a pattern for the sections of the listeners that show it. Empty:
  // those around it.
  std::string listeners = {};
};

// A part of the configuration that may name certificates and that the description does not cover.
struct NotFollowed {
  Place place;
  std::string why;  // a sentence for people
};

// Of several, the first whose conditions hold counts.
struct ReloadDescription {
  enum class Kind { none, signal, command, socket, restart };
  std::vector<std::string> when = {};  // as for Place
  Kind kind = Kind::none;
  std::string signal = {};                         // "HUP"
  std::vector<std::vector<std::string>> commands;  // run one after the other; templates
  // Kind::socket: templates for the path of a UNIX socket or HOST:PORT, and for what is said there;
  // a pattern for the answer.
  std::string socket = {};
  std::string say = {};
  std::string answer = {};
  std::string input = {};  // what each command reads from its standard input; a template
  // Further variables for the commands: "NAME=template".
  std::vector<std::string> environment = {};
  milliseconds deadline{30'000};
  milliseconds may_cache{0};  // how long it may go on with the old files
  // The commands run as root, although the server runs as a user. They must do no more for him than
  // he could do himself.
  bool as_root = false;
  std::string why = {};  // Kind::restart: why only a restart loads new files
};

struct Description {
  std::string kind;   // "postfix"
  std::string title;  // "Postfix"
  std::string file;   // where it was read
  std::string text;   // as written
  std::string tried;  // the version on which it was tried; empty: from documentation only

  // Recognition.
  std::vector<std::string> executables;  // file names
  // What one of its arguments is; "!x": none of them is x. Empty: anything.
  std::string argument;
  std::vector<std::string> users;     // users other than root as whom it runs
  std::vector<std::string> options;   // options whose argument is the configuration
  std::string environment;            // a variable that names the configuration
  std::string file_in_directory;      // if that is a directory: the file in it
  std::vector<std::string> usual;     // the configuration if nothing names it: the first there is
  std::vector<std::string> programs;  // usual paths of the executable
  // It runs only while it has clients: another program listens for it (systemd.socket(5)).
  bool on_demand = false;
  std::vector<std::string> version = {};  // the program that prints its version; templates
  std::vector<std::string> units = {};    // its systemd units, as patterns, without ".service"
  bool only_in_units = false;             // only processes of these units count
  // Why it does harm to reload these units (systemctl reload); empty: it does none.
  std::string unit_reload_why = {};

  std::vector<Source> sources;
  std::vector<Listener> listeners;
  std::vector<Scope> scopes;
  std::vector<CertificateSettings> certificates;
  std::vector<NotFollowed> not_followed;
  std::string site;  // a template for the site's name; empty: the names, or the title
  // Plans may edit its configuration, so that it names another file. Where a program prints it, and
  // in JSON and YAML, none can.
  bool may_edit = false;

  std::vector<std::string> test;  // the program's own test; empty: it has none
  std::vector<ReloadDescription> reloads;
  OnBadCertificate on_bad_certificate = OnBadCertificate::keeps_old;
  std::string key_reader;           // the user who reads keys; empty: root
  std::vector<std::string> loaded;  // prints which certificate is loaded; templates
};

// Reads one description. Code::usage with file, line and field for a mistake.
Result<Description> parse_description(const std::string& file, const std::string& text);

}  // namespace certrebind::described
