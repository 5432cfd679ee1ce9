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
