# Installs what is missing from Debian's packages. To be sourced; needs root or sudo.

# What building needs.
BUILD_PACKAGES=(
  "g++:the compiler"
  "cmake:the build"
  "ninja-build:the build"
  "pkg-config:finds libraries"
  "libssl-dev:TLS and certificates (OpenSSL 3)"
  "libsqlite3-dev:the state database"
  "libsqlitecpp-dev:the state database"
  "libfmt-dev:text"
  "libtomlplusplus-dev:the configuration file"
  "nlohmann-json3-dev:JSON output"
  "libcli11-dev:the command line"
  "libpcre2-dev:regular expressions, as httpd has them"
  "libyaml-dev:configurations of servers in YAML"
  "libcurl4-openssl-dev:tells a webhook what needs a person"
  "libjemalloc-dev:a faster allocator"
  "libsystemd-dev:what the daemon tells systemd and its journal"
)
# What showing it on a real server needs.
DEMO_PACKAGES=(
  "nginx:the real server"
  "openssl:a local CA"
  "curl:a real client"
)
# What the tests need on top.
TEST_PACKAGES=(
  "libgtest-dev:unit tests"
  "libgmock-dev:unit tests"
  "python3:live tests"
  "python3-pytest:live tests"
  "python3-pytest-xdist:live tests, several at once"
  "python3-cryptography:certificates in live tests"
  "apache2-bin:tests on the real server, without its service"
  "haproxy:tests on the real server"
  "libnginx-mod-stream:tests of stream servers"
  "libnginx-mod-http-lua:tests of Lua blocks"
  "acl:tests that access lists survive"
  "attr:tests that attributes survive"
  "clang:the fuzzer's compiler"
  "libclang-rt-14-dev:the fuzzer's runtime"
  "gcc:the crash tests' shim"
  "patch:tests that a printed diff applies"
  "fish:tests of its completions"
  "prometheus:promtool, for tests of the alert rules; tests of its description"
  "util-linux:tests as another user, and apart from other processes"
  "iproute2:addresses of their own for random configurations"
  "pebble:an ACME server for tests of renewers"
  "certbot:tests of renewers"
  "lego:tests of renewers"
  "uacme:tests of renewers"
  "dehydrated:tests of renewers"
  "ansible-core:tests of the Ansible role"
  "postfix:tests of STARTTLS (smtp)"
  "dovecot-imapd:tests of STARTTLS (imap)"
  "dovecot-pop3d:tests of STARTTLS (pop3)"
  "dovecot-lmtpd:tests of STARTTLS (lmtp)"
  "dovecot-managesieved:tests of STARTTLS (sieve)"
  "vsftpd:tests of STARTTLS (ftp)"
  "slapd:tests of STARTTLS (ldap)"
  "ldap-utils:tells slapd to load a certificate"
  "postgresql:tests of STARTTLS (postgres)"
  "mariadb-server:tests of STARTTLS (mysql)"
  "prosody:tests of STARTTLS (xmpp)"
  "caddy:tests of its description"
  "hitch:tests of its description"
  "lighttpd:tests of its description"
  "lighttpd-mod-openssl:lighttpd's TLS"
  "mosquitto:tests of its description"
  "redis-server:tests of its description"
  "stunnel4:tests of its description"
  "coturn:tests of its description"
  "pgbouncer:tests of its description"
  "squid-openssl:tests of its description"
  "etcd-server:tests of its description"
  "prometheus-node-exporter:tests of its description"
  "ejabberd:tests of its description"
  "rabbitmq-server:tests of its description"
  "docker-registry:tests of its description"
  "unbound:tests of its description"
  "systemd:tests of restarts, apart from the machine's own"
)

# Servers whose packages conflict with one above: unpacked into directories of their own, not installed. The libraries
# that they depend on are installed.
UNPACKED_PACKAGES=(
  "exim4-daemon-light:tests of its description; conflicts with postfix"
  "proftpd-core:tests of its description; conflicts with vsftpd"
  "proftpd-mod-crypto:ProFTPD's TLS"
  "inn2:tests of STARTTLS in NNTP; wants a mail server"
  "inn2-inews:libraries of inn2"
)
UNPACKED=/var/cache/certrebind-tests # root's, as installed programs are: certrebind runs no others

# What building the page needs, and its tests.
CONSOLE_PACKAGES=(
  "cockpit-ws:the page's tests, on the real Cockpit"
  "cockpit-bridge:the page's tests"
  "chromium:the page's tests, in a real browser"
)
NODE_PACKAGES=(
  "nodejs:builds the page"
  "npm:the page's libraries"
)

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# A server that a package brings must not start by itself on a machine that only tests it: the policy
# (invoke-rc.d(8)) says no while we install, unless the machine has a policy of its own.
without_starting_servers() {
  local policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then
    "$@"
    return
  fi
  (
    trap 'as_root rm -f "$policy"' EXIT # also when it fails, or is interrupted
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    "$@"
  )
}

# ensure_packages "NAME:WHY"…
ensure_packages() {
  local missing=() entry
  for entry in "$@"; do
    if ! is_installed "${entry%%:*}"; then
      printf '  installing %-22s %s\n' "${entry%%:*}" "(${entry#*:})"
      missing+=("${entry%%:*}")
    fi
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  as_root apt-get update -q >/dev/null
  without_starting_servers as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

# libraries_of PACKAGE.deb: the libraries that it depends on, as "NAME:WHY" lines.
libraries_of() {
  local name
  name=$(dpkg-deb -f "$1" Package)
  dpkg-deb -f "$1" Depends | tr ',' '\n' | sed -n "s/^ *\\(lib[^ (|]*\\).*/\\1:a library of $name/p"
}

# ensure_unpacked "NAME:WHY"…: each in $UNPACKED/NAME. It is there completely or not at all.
ensure_unpacked() {
  local entry name new libraries
  for entry in "$@"; do
    name=${entry%%:*}
    [ ! -d "$UNPACKED/$name" ] || continue
    printf '  unpacking %-23s %s\n' "$name" "(${entry#*:})"
    as_root apt-get update -q >/dev/null
    new=$UNPACKED/$name.new
    as_root rm -rf "$new"
    as_root install -d -m 755 "$UNPACKED" "$new" "$new/download"
    (cd "$new/download" && as_root apt-get download -q -o APT::Sandbox::User=root "$name" >/dev/null) || return 1
    mapfile -t libraries < <(libraries_of "$new"/download/*.deb)
    ensure_packages "${libraries[@]}" || return 1
    as_root dpkg-deb -x "$new"/download/*.deb "$new" || return 1
    as_root rm -r "$new/download"
    as_root find "$new" -type f -perm /6000 -exec chmod a-s {} + # nobody updates them
    as_root mv "$new" "$UNPACKED/$name"
  done
}

# Node.js may come from elsewhere than Debian: then npm came with it.
ensure_node() {
  command -v node >/dev/null && command -v npm >/dev/null || ensure_packages "${NODE_PACKAGES[@]}"
}
