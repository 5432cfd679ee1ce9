"""What Apache httpd serves although a quick look at its configuration says otherwise, or the other way round."""
import re

import pytest

from files import difference, snapshot, write
from handshakes import handshake
from ports import free_port
from servers.apache import APACHE

OK, REFUSED = 0, 1


def host(directory, certificate, name, address, engine=True):
    """A virtual host with files of its own in `directory`."""
    cert, key = certificate.write(directory, f"{name}.pem", f"{name}.key")
    return (f"<VirtualHost {address}>\nServerName {name}\n{'SSLEngine on' if engine else ''}\n"
            f"SSLCertificateFile {cert}\nSSLCertificateKeyFile {key}\n</VirtualHost>\n")


def sites(place, service):
    done = place.run("check", "--json", "--service", service)
    return done, [each["site"] for each in done.json["bindings"]]


@pytest.mark.parametrize("addresses", [("0.0.0.0", "0.0.0.0"), ("0.0.0.0", "*"), ("[::]", "_default_"), ("*", "[::]")])
def test_all_addresses_are_one_list(place, authority, addresses):
    """Whichever way "all addresses" is written, the first host answers to names that no other has."""
    port = free_port()
    certificates = [authority.issue(["a.example.com"]), authority.issue(["b.example.com"])]
    apache = place.apache()
    apache.write("".join(host(place / "tls", each, f"{name}.example.com", f"{address}:{port}")
                         for each, name, address in zip(certificates, "ab", addresses)), ports=[f"[::]:{port}"]).start()
    assert handshake(port, None) == handshake(port, "a.example.com") == certificates[0].thumbprint
    assert handshake(port, "b.example.com") == certificates[1].thumbprint
    done, found = sites(place, apache.service)
    assert done.code == OK and found == ["a.example.com", "b.example.com"], done
    before = snapshot(place.path, without=("run", "state", "home"))
    done = place.run("rebind", "--pending", "--service", apache.service)
    assert done.code == OK and "nothing differs" in done.all, done
    assert difference(before, snapshot(place.path, without=("run", "state", "home"))) == []


@pytest.mark.parametrize("listen, address, protocol", [
    ("127.0.0.1:{port}", "127.0.0.1:{port}", " https"), ("0.0.0.0:{port}", "*:{port}", " HTTPS"),
    ("[::]:{port}", "*:{port}", " https"), ("127.0.0.1:{port}", "127.0.0.1:{port}", "")])
def test_tls_without_ssl_engine(place, authority, listen, address, protocol):
    """A certificate is enough where the listener's protocol is https; without that it is not."""
    port = free_port()
    old, new = authority.pair("a.example.com")
    apache = place.apache()
    text = f"Listen {listen.format(port=port)}{protocol}\n"
    text += host(place / "tls", old, "a.example.com", address.format(port=port), engine=False)
    apache.write(text).start()
    done, found = sites(place, apache.service)
    if not protocol:
        with pytest.raises(OSError):
            handshake(port, "a.example.com")
        assert found == [], done
        return
    assert handshake(port, "a.example.com") == old.thumbprint
    assert done.code == OK and found == ["a.example.com"], done
    cert, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, cert, "--service", apache.service)
    assert done.code == OK and "committed" in done.all, done
    assert handshake(port, "a.example.com") == new.thumbprint


def further_instance(place, authority, name):
    """As Debian's apache2ctl starts one: -d DIRECTORY, no -f, and no ServerRoot in the file."""
    apache = place.apache(name=name)
    apache.conf = apache.prefix / "apache2.conf"
    port = free_port()
    old, new = authority.pair(f"{name}.example.com")
    apache.write("IncludeOptional sites-enabled/*.conf\n", ports=[port])
    apache.conf.write_text(re.sub("(?m)^ServerRoot .*\n", "", apache.conf.read_text()))
    write(apache.prefix / "sites-enabled/site.conf",
          host(apache.prefix / "tls", old, f"{name}.example.com", f"*:{port}"))
    apache.command = lambda *more: [APACHE, "-d", str(apache.prefix), *more]
    return apache, port, old, new


def test_instances_of_their_own_directories(place, authority):
    """`apache2 -d DIRECTORY` reads the file of that name there: each has its own id, and its own files are edited."""
    one, port, old, new = further_instance(place, authority, "one")
    other, other_port, other_old, _ = further_instance(place, authority, "other")
    one.start()
    other.start()
    found = {each["service"]: each["site"] for each in place.run("scan", "--json").json["bindings"]}
    assert found == {one.service: "one.example.com", other.service: "other.example.com"}
    before = snapshot(other.prefix, without=("run",))
    cert, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, cert)
    assert done.code == OK and "committed" in done.all, done
    assert handshake(port, "one.example.com") == new.thumbprint
    assert handshake(other_port, "other.example.com") == other_old.thumbprint
    assert difference(before, snapshot(other.prefix, without=("run",))) == []


def test_an_idle_instance_of_its_own_directory(place, authority):
    apache, _, old, new = further_instance(place, authority, "idle")
    cert, key = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, cert, "--repoint", "--service", apache.service)
    assert done.code == OK, done
    text = (apache.prefix / "sites-enabled/site.conf").read_text()
    assert str(cert) in text and str(key) in text


# ------------------------------------------------------------------------------------------ tags and conditions

def two_sites(place, authority, between):
    """httpd with a site a, then `between`, where SECOND stands for a site b."""
    port = free_port()
    certificates = [authority.issue([f"{name}.example.com"]) for name in "ab"]
    hosts = [host(place / "tls", each, f"{name}.example.com", f"*:{port}") for each, name in zip(certificates, "ab")]
    apache = place.apache()
    apache.write(f"Define YES\n{hosts[0]}{between.replace('SECOND', hosts[1])}\n", ports=[port]).start()
    return apache, port, certificates


@pytest.mark.parametrize("between", [
    "<IfModule mod_ssl.c>\n<IfModule mod_alias.c>\n</IfModule> </IfModule>\nSECOND",
    "<IfModule mod_nope.c>\nSECOND</IfModule> </IfModule>", "<IfModule mod_nope.c>\nSECOND</ifmodule> # over",
    "<IfModule mod_ssl.c> behind\nSECOND", "<IfDefine YES>\nSECOND"])
def test_what_is_behind_a_tag_does_not_count(place, authority, between):
    """httpd ends a closing tag with its first word and an opening one with the last ">"; a true condition may stay open."""
    apache, port, certificates = two_sites(place, authority, between)
    shown = handshake(port, "b.example.com")
    expected = ["a.example.com"] + ["b.example.com"] * (shown == certificates[1].thumbprint)
    done, found = sites(place, apache.service)
    assert found == expected and done.code == OK, done
    assert not [each for each in done.json["diagnostics"] if each["severity"] != "note"], done


def test_a_second_tag_on_the_line(place, authority):
    """`</VirtualHost> </IfModule>` closes the host only."""
    port = free_port()
    certificates = [authority.issue([f"{name}.example.com"]) for name in "ab"]
    first, second = (host(place / "tls", each, f"{name}.example.com", f"*:{port}") for each, name in zip(certificates, "ab"))
    apache = place.apache()
    apache.write(f"<IfModule mod_ssl.c>\n{first.strip()} </IfModule>\n{second}", ports=[port]).start()
    assert handshake(port, "b.example.com") == certificates[1].thumbprint
    done, found = sites(place, apache.service)
    assert found == ["a.example.com", "b.example.com"] and done.code == OK, done


@pytest.mark.parametrize("condition", [
    "IfModule !mod_ssl.c", "IfModule ! mod_ssl.c", "IfModule ! mod_nope.c", "IfModule !  'mod_nope.c'", 'IfModule !"mod_nope.c"',
    'IfModule "!mod_nope.c"', 'IfModule "! mod_nope.c"', "IfModule !!mod_ssl.c", "IfModule ! mod_nope.c more",
    "IfDefine ! YES", "IfDefine ! NO", 'IfDefine !"NO"', 'IfDefine "!NO"', "IfDefine ! \"YES\"", "IfDefine !YES more",
    'IfFile "!HERE"', 'IfFile "!/gone"', "IfFile ! HERE", "IfFile ! /gone", 'IfFile !"/gone"', 'IfFile !"HERE"', "IfFile !/gone",
    "IfVersion !>= 3.0", 'IfVersion "!<" 3.0', "IfDirective ! SSLEngine", "IfSection ! VirtualHost"])
def test_negated_conditions(place, authority, condition):
    """The "!" counts before any quote, and may stand apart."""
    here = write(place / "here", "")
    apache, port, certificates = two_sites(
        place, authority, f"<{condition.replace('HERE', str(here))}>\nSECOND</{condition.split()[0]}>")
    holds = handshake(port, "b.example.com") == certificates[1].thumbprint
    _, found = sites(place, apache.service)
    assert found == ["a.example.com"] + ["b.example.com"] * holds, condition


# --------------------------------------------------------------------------------------------------- names

def test_of_several_server_names_the_last_counts(place, authority):
    port = free_port()
    certificate = authority.issue(["last.example.com", "alias.example.com"])
    text = host(place / "tls", certificate, "first.example.com", f"*:{port}").replace(
        "SSLEngine", "ServerAlias alias.example.com\nServerName last.example.com\nSSLEngine")
    other = authority.issue("first.example.com")
    apache = place.apache()
    apache.write(text + host(place / "other", other, "first.example.com", f"*:{port}"), ports=[port]).start()
    assert handshake(port, "first.example.com") == other.thumbprint
    done = place.run("check", "--json", "--service", apache.service)
    assert done.code == OK, done
    assert [(each["site"], each["names"]) for each in done.json["bindings"]] == [
        ("first.example.com", ["first.example.com"]), ("last.example.com", ["last.example.com", "alias.example.com"])]


def nameless(place, certificate, address):
    return host(place / "nameless", certificate, "x", address).replace("ServerName x\n", "")


@pytest.mark.parametrize("address, inherits", [("*", True), ("_default_", True), ("0.0.0.0", True), ("127.0.0.1", False),
                                               ("127.0.0.1:{port} *", True)])
def test_a_host_without_a_server_name(place, authority, address, inherits):
    """It has the main server's, unless all its addresses are its own."""
    port = free_port()
    mine, other = authority.pair("main.example.com")
    own = authority.issue("a.example.com")
    apache = place.apache()
    where = f"{address}:{port}".format(port=port)
    first = address if address == "127.0.0.1" else "*"
    apache.write("ServerName main.example.com\n" + host(place / "tls", own, "a.example.com", f"{first}:{port}") +
                 nameless(place, mine, where), ports=[port if inherits and ":" not in address else f"127.0.0.1:{port}"]).start()
    shown = handshake(port, "main.example.com") == mine.thumbprint
    assert shown == inherits or ":" in address
    done = place.run("check", "--json", "--service", apache.service)
    found = [each for each in done.json["bindings"] if each["certificate_path"].startswith(str(place / "nameless"))]
    assert bool(found and found[0]["names"] == ["main.example.com"]) == shown, done
    if shown:
        path, _ = other.write(place / "new")
        done = place.run("rebind", mine.thumbprint, path, "--service", apache.service)
        assert done.code == OK and handshake(port, "main.example.com") == other.thumbprint, done


def test_localhost_is_no_sites_name(place, authority):
    """`ServerName localhost` silences httpd; no certificate is for it."""
    port = free_port()
    apache = place.apache()
    apache.write(nameless(place, authority.issue("a.example.com"), f"*:{port}"), ports=[port]).start()
    done = place.run("check", "--json", "--service", apache.service)
    assert done.code == OK and done.json["bindings"][0]["names"] == [], done


# ------------------------------------------------------------------------------------- what must stay as it is

@pytest.mark.parametrize("how", ["Define", "environment"])
@pytest.mark.parametrize("option", [(), ("--repoint",), ("--rewrite",)])
def test_a_variable_is_never_replaced_by_a_literal(place, authority, how, option):
    old, new = authority.pair("a.example.com")
    port = free_port()
    text = host(place / "tls", old, "a.example.com", f"*:{port}").replace(str(place / "tls"), "${CERTS}")
    apache = place.apache()
    if how == "Define":
        text = f"Define CERTS {place.path}/tls\n{text}"
    else:
        apache.environment = {"CERTS": f"{place.path}/tls"}
    place.configure(stores=[("lego", place / "lego")])
    path, _ = new.write(place / "lego/certificates", "a.example.com.crt", "a.example.com.key")
    apache.write(text, ports=[port]).start()
    before = snapshot(place.path, without=("run", "state", "home"))
    done = place.run("rebind", old.thumbprint, path, *option, "--service", apache.service)
    assert done.code == REFUSED and "contains a variable" in done.all, done
    assert place.run("rebind", "--pending", "--service", apache.service).code == REFUSED
    assert difference(before, snapshot(place.path, without=("run", "state", "home"))) == []
    # What is renewed where the variable leads is loaded.
    new.write(place / "tls", "a.example.com.pem", "a.example.com.key")
    done = place.run("rebind", "--pending", "--service", apache.service)
    assert done.code == OK and handshake(port, "a.example.com") == new.thumbprint, done


@pytest.mark.parametrize("mixed", [False, True])
def test_an_address_that_this_machine_lacks_is_a_note(place, authority, mixed):
    """A standby's failover address: the active machine has it."""
    port = free_port()
    old, new = authority.pair(["vip.example.com", "a.example.com"])
    addresses = f"192.0.2.77:{port}" + f" 127.0.0.1:{port}" * mixed
    apache = place.apache()
    apache.write(host(place / "tls", old, "vip.example.com", addresses) +
                 host(place / "other", authority.issue("a.example.com"), "a.example.com", f"*:{port}"), ports=[f"0.0.0.0:{port}"])
    apache.start()
    done = place.run("check", "--service", apache.service)
    assert done.code == OK and "note: vip.example.com" in done.out, done
    assert "this machine does not have the address 192.0.2.77" in done.out, done
    path, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, path, "--service", apache.service)
    assert done.code == OK and "not proven: vip.example.com" in done.all and "owed" not in done.all, done
    if mixed:
        assert handshake(port, "vip.example.com") == new.thumbprint
    assert place.run("check", "--service", apache.service).code == OK
