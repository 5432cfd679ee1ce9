"""How HAProxy reads its configuration, and that certrebind reads it alike: what it says is compared with handshakes."""
import pathlib
import socket

import pytest

from command import committed
from files import write
from handshakes import handshake
from markers import since_haproxy
from ports import free_port
from servers.haproxy import haproxy_version
from stages.one_frontend import OneFrontend, frontend, scan

KINDS = ("ec", "rsa")


def shown(where, name=None, kind=None, host="127.0.0.1"):
    """The thumbprint of what is served, or None where no handshake completes."""
    try:
        return handshake(where, name, key_type=kind, host=host)
    except OSError:
        return None


def claims(bindings):
    """[(thumbprint, address, name or None)] of everything that can be proven."""
    return [(each["certificate"]["thumbprint"], endpoint["address"], name)
            for each in bindings for endpoint in each["endpoints"] if not endpoint["unproven"]
            for name in [*endpoint["probe_names"], *([None] if endpoint["without_sni"] else [])]]


def renew(place, authority, haproxy, name, old, **options):
    """Rebinds `old`, which is for `name`, and gives what replaced it."""
    new = authority.issue(name, days=91, **options)
    path, _ = new.write(place / "renewed" / new.thumbprint)
    result = committed(place.run("rebind", old, path, "--json", "--service", haproxy.service))
    assert "not proven" not in str(result["accounts"]), result
    return new


# --------------------------------------------------------------- shown where no name selects one

class Several:
    """Certificates of both key types, each in a file NAME.pem of its own."""

    def __init__(self, place, authority):
        self.directory = place / "c"
        self.made = {}
        for name in ("ec1", "ec2", "rsa1", "rsa2"):
            self.put(authority, f"{name}.pem", f"{name}.example.com", name[:-1])
        for kind in KINDS:
            self.put(authority, f"both.pem.{'ecdsa' if kind == 'ec' else kind}", "both.example.com", kind)
            self.put(authority, f"d/{kind}.pem", "d.example.com", kind)

    def put(self, authority, file, name, kind):
        made = authority.issue(name, key="rsa2048" if kind == "rsa" else kind)
        made.write_combined(self.directory / file)
        self.made[made.thumbprint] = (file, kind)


IMPLICIT = [
    ("crt ec1.pem crt rsa1.pem", []), ("crt both.pem crt ec1.pem", []), ("crt d crt ec1.pem", []),
    ("crt-list LIST", ["ec1.pem", "rsa1.pem *", "ec2.pem *"]), ("crt-list LIST", ["both.pem", "ec1.pem"]),
    ("crt-list LIST", ["both.pem *"]), ("crt ec2.pem crt-list LIST", ["rsa1.pem * rsa1.example.com", "rsa2.pem *"]),
    ("crt-list LIST", ["ec1.pem !x.example.com", "rsa1.pem !* rsa1.example.com"]),
    ("crt ec1.pem strict-sni", []), ("crt-list LIST strict-sni", ["ec1.pem *"]),
]
EXPLICIT = [
    ("crt rsa1.pem default-crt rsa2.pem default-crt ec1.pem", []),
    ("default-crt ec1.pem default-crt rsa1.pem crt ec2.pem", []), ("crt rsa1.pem default-crt both.pem", []),
    ("crt rsa1.pem default-crt d", []), ("default-crt d crt rsa1.pem", []), ("default-crt both.pem crt d", []),
    ("crt ec1.pem default-crt ec2.pem default-crt rsa1.pem strict-sni", []),
    ("crt ec1.pem crt-list LIST default-crt rsa1.pem", ["rsa2.pem *"]),
    ("crt ec1.pem default-crt ec1.pem crt rsa1.pem default-crt rsa1.pem", []),
]
SINCE_3_2 = [
    ("\n ssl-f-use crt ec1.pem\n ssl-f-use crt rsa1.pem\n ssl-f-use crt ec2.pem", []),
    ("\n ssl-f-use crt ec1.pem\n ssl-f-use crt both.pem", []),
    ("crt rsa1.pem\n ssl-f-use crt ec1.pem\n ssl-f-use crt ec2.pem", []),
    ("strict-sni\n ssl-f-use crt ec1.pem\n ssl-f-use crt ec2.pem", []),
    ("crt ec1.pem strict-sni no-strict-sni", []), ("crt ec1.pem no-strict-sni strict-sni", []),
    ("crt ec1.pem STRICT", []), ("crt ec1.pem no-strict-sni STRICT", []),
]


@pytest.mark.parametrize("tls, listed", [
    *IMPLICIT, *(pytest.param(*each, marks=since_haproxy(3, 0)) for each in EXPLICIT),
    *(pytest.param(*each, marks=since_haproxy(3, 2)) for each in SINCE_3_2)])
def test_what_a_client_without_a_name_is_shown(place, authority, tls, listed):
    several = Several(place, authority)
    write(place / "list", "".join(f"{line}\n" for line in listed))
    port = free_port()
    haproxy = place.haproxy()
    strict = "\n ssl-default-bind-options strict-sni" if "STRICT" in tls else ""
    tls = tls.replace("LIST", str(place / "list")).replace("STRICT", "")
    haproxy.write(frontend(port, tls), main=f" crt-base {several.directory}{strict}").start()
    said = {thumbprint for thumbprint, _, name in claims(scan(place, haproxy)["bindings"]) if name is None}
    assert said == {shown(port, None, kind) for kind in KINDS} - {None}
    for thumbprint in said:
        assert shown(port, None, several.made[thumbprint][1]) == thumbprint
    assert place.run("check", "--service", haproxy.service).code == 0


@since_haproxy(3, 2)
def test_of_several_ssl_f_use_for_one_name_the_last_answers(place, authority):
    kinds = ["ec", "ec", "rsa2048", "ec"]
    made = [authority.issue("a.example.com", key=kind) for kind in kinds]
    lines = "".join(f" ssl-f-use crt {each.write_combined(place / f'c/{i}.pem')}\n" for i, each in enumerate(made))
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, "", extra=lines)).start()
    assert [shown(port, "a.example.com", kind) for kind in KINDS] == [made[3].thumbprint, made[2].thumbprint]
    for thumbprint, _, name in claims(scan(place, haproxy)["bindings"]):
        kind = "rsa" if thumbprint == made[2].thumbprint else "ec"
        assert shown(port, name, kind) == thumbprint, name
    new = renew(place, authority, haproxy, "a.example.com", made[3].thumbprint)
    assert shown(port, "a.example.com", "ec") == new.thumbprint


@since_haproxy(3, 0)
@pytest.mark.parametrize("with_socket", [True, False])
def test_a_second_default_certificate_is_renewed_and_proven(place, authority, with_socket):
    rsa = authority.issue("website.example.com", key="rsa2048")
    other = {kind: authority.issue("foobar.example.com", days=20, key=key)
             for kind, key in (("rsa", "rsa2048"), ("ecdsa", "ec"))}
    paths = [rsa.write_combined(place / "website.pem.rsa"),
             *(made.write_combined(place / f"foobar.pem.{kind}") for kind, made in other.items())]
    port = free_port()
    haproxy = place.haproxy(socket=with_socket)
    haproxy.write(frontend(port, f"crt {paths[0]} default-crt {paths[1]} default-crt {paths[2]}")).start()
    assert (shown(port, None, "rsa"), shown(port, None, "ec")) == (rsa.thumbprint, other["ecdsa"].thumbprint)
    new = renew(place, authority, haproxy, "foobar.example.com", other["ecdsa"].thumbprint)
    assert (shown(port, None, "rsa"), shown(port, None, "ec")) == (rsa.thumbprint, new.thumbprint)
    assert haproxy.reloads() == (0 if with_socket else 1)


@pytest.mark.parametrize("among", ["names", pytest.param("default ones", marks=since_haproxy(3, 0))])
def test_the_first_of_several_is_renewed_by_a_reload(place, authority, among):
    """Over the socket HAProxy would put the new one behind the others, and show one of them."""
    names = ["a.example.com", "a.example.com" if among == "names" else "b.example.com"]
    made = [authority.issue(name, days=20) for name in names]
    first, second = (each.write_combined(place / f"{i}.pem") for i, each in enumerate(made))
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, f"crt {first} {'crt' if among == 'names' else 'default-crt'} {second}")).start()
    new = renew(place, authority, haproxy, names[0], made[0].thumbprint)
    assert shown(port, names[0]) == shown(port) == new.thumbprint
    assert haproxy.reloads() == 1
    if among == "names":
        return
    renewed = renew(place, authority, haproxy, names[1], made[1].thumbprint)
    assert (shown(port), shown(port, names[1])) == (new.thumbprint, renewed.thumbprint)
    assert haproxy.reloads() == 1, "it was behind the other one before"


@pytest.mark.parametrize("word", ["crt", pytest.param("default-crt", marks=since_haproxy(3, 0))])
def test_a_certificate_without_ssl_is_noted(place, authority, word):
    pem = authority.issue("a.example.com").write_combined(place / "a.pem")
    haproxy = place.haproxy()
    haproxy.write(f"frontend f\n bind 127.0.0.1:{free_port()} {word} {pem}\n").start()
    found = scan(place, haproxy)
    assert found["bindings"] == []
    assert ["a certificate without ssl is not used" in each["message"] for each in found["diagnostics"]] == [True]


# ------------------------------------------------------------------- where certificates are named

def test_servers_of_a_template(place, authority):
    old = authority.issue("client.example.com", days=20, eku="client")
    new = authority.issue("client.example.com", eku="client")
    pem = old.write_combined(place / "client.pem")
    haproxy = place.haproxy()
    haproxy.write(f"backend app\n server-template web 3 127.0.0.1:{free_port()} ssl verify none crt {pem}\n"
                  f"frontend f\n bind 127.0.0.1:{free_port()}\n").start()
    assert [(each["site"], each["role"]) for each in scan(place, haproxy)["bindings"]] == [
        ("backend app/web", "client")]
    path, _ = new.write(place / "new")
    committed(place.run("rebind", old.thumbprint, path, "--json", "--service", haproxy.service))
    assert new.sha1.upper() in haproxy.say(f"show ssl cert {pem}\n")


def test_a_log_forward_listens(place, authority):
    """HAProxy 2.6 has ten connections for it, and frees none that ends without a message: it is not probed there."""
    old, new = authority.pair("log.example.com")
    pem = old.write_combined(place / "log.pem")
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(f"log-forward syslog\n bind 127.0.0.1:{port} ssl crt {pem}\n log 127.0.0.1:{free_port()} local0\n").start()
    for _ in range(3):
        assert place.run("check", "--service", haproxy.service).code == 0
    assert bool(claims(scan(place, haproxy)["bindings"])) == (haproxy_version() >= (3, 0))
    path, _ = new.write(place / "new")
    committed(place.run("rebind", old.thumbprint, path, "--json", "--service", haproxy.service))
    assert shown(port) == new.thumbprint and haproxy.reloads() == 0


PEERS = {
    "a default-bind": " default-bind ssl crt {own}\n peer me 127.0.0.1:{port}\n",
    "a default-bind below": " peer me 127.0.0.1:{port}\n default-bind ssl crt {own}\n",
    "a bind": " bind 127.0.0.1:{port} ssl crt {own}\n server me\n",
    "a bind without ssl": " default-bind ssl\n bind 127.0.0.1:{port} crt {own}\n server me\n",
    "a variable": " default-bind ssl crt {own}\n peer ${HAPROXY_LOCALPEER} ${{IP}}:{port}\n".replace(
        "${HAPROXY_LOCALPEER}", '"${{HAPROXY_LOCALPEER}}"'),
}


@pytest.mark.parametrize("named", ["-L", "localpeer", "hostname"])
@pytest.mark.parametrize("form", PEERS)
def test_peers(place, authority, form, named):
    """The certificate that peers are shown, and the one that is shown to them."""
    own = authority.issue("peer.example.com", days=20)
    client = authority.issue("client.example.com", days=20, eku="client")
    pem, client_pem = own.write_combined(place / "own.pem"), client.write_combined(place / "client.pem")
    port = free_port()
    me = socket.gethostname() if named == "hostname" else "me"
    lines = PEERS[form].format(own=pem, port=port).replace(" me", f" {me}")
    haproxy = place.haproxy()
    haproxy.write(f"peers mates\n{lines} {'server' if 'server' in lines else 'peer'} other 127.0.0.1:{free_port()}"
                  f" ssl verify none crt {client_pem}\n"
                  "backend x\n stick-table type ip size 1k peers mates\n",
                  main=f" localpeer {me}" if named == "localpeer" else "")
    haproxy.start(*(["-L", me] if named == "-L" else []), "-f", haproxy.conf, env={"IP": "127.0.0.1"})
    found = scan(place, haproxy)
    assert [(each["certificate_path"], each["role"]) for each in found["bindings"]] == [
        (str(pem), "server"), (str(client_pem), "client")], found
    assert [address for _, address, _ in claims(found["bindings"])] != []
    assert place.run("check", "--service", haproxy.service).code == 0
    new = renew(place, authority, haproxy, "peer.example.com", own.thumbprint)
    assert shown(port) == new.thumbprint and haproxy.reloads() == 0
    renewed = authority.issue("client.example.com", days=91, eku="client")
    path, _ = renewed.write(place / "new")
    committed(place.run("rebind", client.thumbprint, path, "--json", "--service", haproxy.service))
    assert renewed.sha1.upper() in haproxy.say(f"show ssl cert {client_pem}\n")


@pytest.mark.parametrize("line", [" peer unknown 127.0.0.1:{port}\n", " peer me 127.0.0.1:{port}\n disabled\n"])
def test_peers_that_do_not_listen(place, authority, line):
    """HAProxy has loaded the certificate, and shows it to nobody."""
    own, new = authority.pair("peer.example.com")
    pem = own.write_combined(place / "own.pem")
    haproxy = place.haproxy()
    haproxy.write(f"peers mates\n default-bind ssl crt {pem}\n{line.format(port=free_port())}"
                  f"frontend f\n bind 127.0.0.1:{free_port()}\n")
    haproxy.start("-L", "me", "-f", haproxy.conf)
    assert claims(scan(place, haproxy)["bindings"]) == []
    assert place.run("check", "--service", haproxy.service).code == 0
    path, _ = new.write(place / "new")
    committed(place.run("rebind", own.thumbprint, path, "--json", "--service", haproxy.service))
    assert new.sha1.upper() in haproxy.say(f"show ssl cert {pem}\n")


def test_a_disabled_frontend_is_not_missed(place, authority):
    pem = authority.issue("a.example.com").write_combined(place / "a.pem")
    other = authority.issue("b.example.com").write_combined(place / "b.pem")
    haproxy = place.haproxy()
    haproxy.write(frontend(free_port(), f"crt {pem}", extra=" disabled") + frontend(free_port(), f"crt {other}", "up"))
    haproxy.start()
    done = place.run("check", "--service", haproxy.service)
    assert done.code == 0, done


# ------------------------------------------------------------------------- where relative paths begin

# Options of `default-path`; where the configuration lies; where the certificate, by "crt certs/a.pem".
DEFAULT_PATHS = [
    ("current", "etc/h.cfg", "work/certs"), ("config", "etc/h.cfg", "etc/certs"), ("parent", "etc/h.cfg", "certs"),
    ("origin {}/there", "etc/h.cfg", "there/certs"), ("origin below", "etc/h.cfg", "work/below/certs"),
    ("config\n default-path current", "etc/h.cfg", "work/certs"), ("config", "../work/h.cfg", "work/certs"),
]


@pytest.mark.parametrize("how", ["crt certs/a.pem", "crt-list list", "crt a.pem"])
@pytest.mark.parametrize("option, conf, certs", DEFAULT_PATHS)
def test_default_path(place, authority, option, conf, certs, how):
    old = authority.issue("a.example.com", days=20)
    pem = old.write_combined(place.path / certs / "a.pem")
    write(pem.parent.parent / "list", "certs/a.pem\n")
    (place / "work").mkdir(exist_ok=True)
    port = free_port()
    haproxy = place.haproxy()
    haproxy.conf = place.path / "etc" / pathlib.Path(conf).name if conf.startswith("etc") else place / "work/h.cfg"
    base = " crt-base certs\n" if how == "crt a.pem" else ""
    haproxy.write(frontend(port, how), main=f"{base} default-path {option.format(place.path)}")
    if conf.startswith("etc"):
        haproxy.start("-f", haproxy.conf, cwd=place / "work")
    else:
        haproxy.start("-f", "h.cfg", cwd=place / "work")
    assert [each["certificate_path"] for each in scan(place, haproxy)["bindings"]]
    new = renew(place, authority, haproxy, "a.example.com", old.thumbprint)
    assert shown(port) == new.thumbprint
    assert pem.read_text() == new.fullchain_pem + new.key_pem
    assert haproxy.reloads() == 0, "the socket knows it by its relative name"


def test_default_path_and_two_files(place, authority):
    """Each file's own directory; and a name that was loaded before is that certificate, wherever it leads."""
    first, second = authority.issue("a.example.com", days=20), authority.issue("b.example.com", days=20)
    first.write_combined(place / "one/a.pem")
    second.write_combined(place / "two/b.pem")
    authority.issue("never.example.com").write_combined(place / "two/a.pem")
    ports = [free_port() for _ in range(3)]
    haproxy = place.haproxy()
    haproxy.conf = place / "one/h.cfg"
    haproxy.write(frontend(ports[0], "crt a.pem", "a"), main=" default-path config")
    write(place / "two/h.cfg", frontend(ports[1], "crt b.pem", "b") + frontend(ports[2], "crt a.pem", "c"))
    haproxy.start("-f", haproxy.conf, "-f", place / "two/h.cfg")
    assert [shown(port) for port in ports] == [first.thumbprint, second.thumbprint, first.thumbprint]
    assert {each["endpoints"][0]["address"]: each["certificate_path"] for each in scan(place, haproxy)["bindings"]} == {
        f"127.0.0.1:{port}": str(place / path) for port, path in zip(ports, ("one/a.pem", "two/b.pem", "one/a.pem"))}
    new = renew(place, authority, haproxy, "a.example.com", first.thumbprint)
    assert [shown(port) for port in ports] == [new.thumbprint, second.thumbprint, new.thumbprint]
    assert haproxy.reloads() == 0


def test_certificates_of_servers_are_loaded_at_the_end(place, authority):
    """In the directory of the last file; before 3.0 in the one where HAProxy was started."""
    at = "two" if haproxy_version() >= (3, 0) else "work"
    pem = authority.issue("client.example.com", eku="client").write_combined(place.path / at / "client.pem")
    (place / "work").mkdir(exist_ok=True)
    haproxy = place.haproxy()
    haproxy.conf = place / "one/h.cfg"
    haproxy.write(f"backend b\n server s 127.0.0.1:{free_port()} ssl verify none crt client.pem\n",
                  main=" default-path config")
    write(place / "two/h.cfg", f"frontend f\n bind 127.0.0.1:{free_port()}\n")
    haproxy.start("-f", haproxy.conf, "-f", place / "two/h.cfg", cwd=place / "work")
    assert [each["certificate_path"] for each in scan(place, haproxy)["bindings"]] == [str(pem)]


# --------------------------------------------------------------------------------- crt-store, ssl-f-use

class Apart:
    """A certificate and its key in directories of their own."""

    def __init__(self, place, authority, certs="certs", keys="keys"):
        self.old = authority.issue("a.example.com", days=20)
        self.certificate = write(place.path / certs / "a.crt", self.old.fullchain_pem)
        self.key = write(place.path / keys / "a.k", self.old.key_pem, 0o600)
        self.port = free_port()


STORES = [
    ("crt-base {certs}\n key-base {keys}", "crt-store web\n load crt a.crt key a.k", "@web/a.crt"),
    ("crt-base {certs}\n key-base /nowhere", "crt-store web\n key-base {keys}\n load crt a.crt key a.k", "@web/a.crt"),
    ("crt-base /nowhere\n key-base {keys}", "crt-store web\n crt-base {certs}\n load crt a.crt key a.k alias x", "@web/x"),
    ("crt-base {certs}\n key-base {keys}", "crt-store\n load crt a.crt key a.k", "a.crt"),
    ("crt-base {certs}\n key-base {keys}", "crt-store\n load crt a.crt key a.k alias x", "@/x"),
    ("crt-base /other\n key-base {keys}", "crt-store\n crt-base {certs}\n load crt a.crt key a.k", "/other/a.crt"),
    ("crt-base {certs}/\n key-base {keys}/", "crt-store\n load crt a.crt key a.k", "{certs}//a.crt"),
    ("crt-base /nowhere", "crt-store web\n load crt {certs}/a.crt key {keys}/a.k", "@web{certs}/a.crt"),
    ("crt-base {certs}\n key-base {keys}", "crt-store web\n crt-base /nowhere\ncrt-store web\n load crt a.crt key a.k",
     "@web/a.crt"),
]


@since_haproxy(3, 0)
@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("main, store, name", STORES)
def test_the_bases_of_a_crt_store(place, authority, main, store, name, listed):
    apart = Apart(place, authority)
    where = {"certs": place / "certs", "keys": place / "keys"}
    name = name.format(**where)
    crt_list = write(place / "list", f"{name} a.example.com\n")
    haproxy = place.haproxy()
    haproxy.write(f"{store.format(**where)}\n" + frontend(apart.port, f"crt-list {crt_list}" if listed else f"crt {name}"),
                  main=" " + main.format(**where)).start()
    found = scan(place, haproxy)["bindings"]
    assert [each["certificate_path"] for each in found] == [str(apart.certificate)]
    new = renew(place, authority, haproxy, "a.example.com", apart.old.thumbprint)
    assert apart.key.read_text() == new.key_pem
    assert shown(apart.port, "a.example.com") == new.thumbprint and haproxy.reloads() == 0
    haproxy.reload()
    assert shown(apart.port, "a.example.com") == new.thumbprint


@pytest.mark.parametrize("named", [pytest.param("ssl-f-use", marks=since_haproxy(3, 2)),
                                   pytest.param("crt-list", marks=since_haproxy(3, 0))])
def test_key_base_is_for_stores_alone(place, authority, named):
    """A relative key of ssl-f-use or of a crt-list begins where HAProxy stands, crt-base or not."""
    apart = Apart(place, authority, keys="work/keys")
    crt_list = write(place / "list", "a.crt [key keys/a.k] a.example.com\n")
    uses = named == "ssl-f-use"
    haproxy = place.haproxy()
    haproxy.write(frontend(apart.port, "" if uses else f"crt-list {crt_list}",
                           extra=" ssl-f-use crt a.crt key keys/a.k" if uses else ""),
                  main=f" crt-base {place / 'certs'}\n key-base {place / 'nowhere'}")
    haproxy.start("-f", haproxy.conf, cwd=place / "work")
    assert scan(place, haproxy)["diagnostics"] == []
    new = renew(place, authority, haproxy, "a.example.com", apart.old.thumbprint)
    assert apart.key.read_text() == new.key_pem
    assert shown(apart.port, "a.example.com") == new.thumbprint and haproxy.reloads() == 0


# --------------------------------------------------------------------------------------------- addresses

ADDRESSES = [
    "${IP}:${PORT}", "$IP:$PORT", "'${IP}':${PORT}", "${ALL}", "127.0.0.1:${RANGE}", "${NOTHING}127.0.0.1:${PORT}",
    "*:${PORT}", ":${PORT}", "ipv4@${IP}:${PORT}", "${IP:${PORT}", "${SET}:${PORT}", "stream+ipv4@127.0.0.1:${PORT}",
    "stream+127.0.0.1:${PORT}", "stream+ipv6@[::1]:${PORT}", "stream+tcp4@127.0.0.1:${PORT}", "ip@127.0.0.1:${PORT}",
    "tcp@127.0.0.1:${PORT}", "${V6}:${PORT}", "stream+unix@${DIR}/s", "stream+${DIR}/s", "${DIR}/s", "unix@${DIR}/s",
    pytest.param("mptcp@127.0.0.1:${PORT}", marks=since_haproxy(3, 2)),
    pytest.param("mptcp4@${IP}:${PORT}", marks=since_haproxy(3, 2)),
    pytest.param("stream+mptcp6@[::1]:${PORT}", marks=since_haproxy(3, 2)),
]


@pytest.mark.parametrize("of_stats", [False, True])
@pytest.mark.parametrize("address", ADDRESSES)
def test_variables_and_types_in_addresses(place, authority, address, of_stats):
    """The address of the site, or of the control socket. HAProxy expands variables there outside quotes too."""
    old = authority.issue("a.example.com", days=20)
    pem = old.write_combined(place / "a.pem")
    port, other = free_port(), free_port()
    environment = {"IP": "127.0.0.1", "PORT": str(port), "ALL": f"127.0.0.1:{port}", "RANGE": f"{port}-{port}",
                   "V6": "::1", "DIR": str(place.path)}
    haproxy = place.haproxy(socket=not of_stats)
    haproxy.write(frontend(other, f"crt {pem}", "other") + (
        "" if of_stats else f"frontend f\n bind {address} ssl crt {pem}\n http-request return status 200\n"),
        main=" setenv SET 127.0.0.1\n" + (f" stats socket {address} level admin\n" if of_stats else ""))
    haproxy.start("-f", haproxy.conf, env=environment)
    new = renew(place, authority, haproxy, "a.example.com", old.thumbprint)
    assert haproxy.reloads() == 0
    assert shown(other) == new.thumbprint
    if not of_stats:
        where = place / "s" if "/s" in address else port
        host = "::1" if ":1]" in address or "V6" in address else "127.0.0.1"
        assert shown(where, host=host) == new.thumbprint
        addresses = {at for _, at, _ in claims(scan(place, haproxy)["bindings"])}
        assert len(addresses) == 2, addresses


# ------------------------------------------------------------------------------------ the control socket

@pytest.mark.parametrize("to", ["ed25519", "ec"])
def test_ed25519_over_the_socket(place, authority, to):
    """HAProxy shows no fingerprint of it."""
    old = authority.issue("a.example.com", days=20, key="ed25519")
    pem = old.write_combined(place / "a.pem")
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, f"crt {pem}")).start()
    assert "FingerPrint" not in haproxy.say(f"show ssl cert {pem}\n")
    new = renew(place, authority, haproxy, "a.example.com", old.thumbprint, key=to)
    assert shown(port) == new.thumbprint and haproxy.reloads() == 0
    undone = place.run("undo", "--service", haproxy.service)
    assert undone.code == 0, undone
    assert shown(port) == old.thumbprint and haproxy.reloads() == 0


def test_ed25519_for_a_name_that_others_have_too(place, authority):
    made = {kind: authority.issue("a.example.com", days=20, key=key)
            for kind, key in (("ec", "ec"), ("rsa", "rsa2048"), ("ed", "ed25519"))}
    port = free_port()
    haproxy = place.haproxy()
    haproxy.write(frontend(port, " ".join(
        f"crt {each.write_combined(place / f'{kind}.pem')}" for kind, each in made.items()))).start()
    assert place.run("check", "--service", haproxy.service).code == 0
    renew(place, authority, haproxy, "a.example.com", made["ed"].thumbprint, key="ed25519")
    assert [shown(port, "a.example.com", kind) for kind in KINDS] == [made[kind].thumbprint for kind in KINDS]
    assert haproxy.reloads() == 0


def test_a_socket_whose_connections_are_taken_is_given_up_soon(place, authority):
    """It accepts a connection and answers nothing."""
    site = OneFrontend(place, authority, main=" stats maxconn 2\n stats timeout 1h")
    idle = [socket.socket(socket.AF_UNIX) for _ in range(2)]
    for each in idle:
        each.connect(str(site.haproxy.socket_path))
        each.sendall(b"prompt\n")
        each.recv(10)
    checked = site.run("check", timeout=12)
    assert checked.code == 0, checked
    committed(site.rebind("--json", timeout=25), "rewrite")
    assert site.haproxy.reloads() == 1
    assert site.served() == site.new.thumbprint
    for each in idle:
        each.close()
