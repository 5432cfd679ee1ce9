"""nginx under another program's name: OpenResty, Tengine and others, or a copy anywhere."""
import pathlib
import shutil
import tempfile

import pytest

from handshakes import handshake
from markers import needs_root
from servers.nginx import NGINX
from stages.one_site import make_site


@pytest.fixture
def programs():
    """Where only root writes, as where programs are installed."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="certrebind-test-", dir="/usr/local/lib"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def installed(directory, name, how):
    """The program, and the first argument that it is started with."""
    directory.mkdir(exist_ok=True)
    program = directory / name
    if how == "link":
        program.symlink_to(NGINX)
    else:
        shutil.copy(NGINX, program)
    return program


@needs_root
@pytest.mark.parametrize("name, how", [("openresty", "link"), ("openresty", "copy"), ("tengine", "copy"), ("angie", "copy"),
                                       ("nginx-sp", "copy"), ("a-very-long-name-of-a-server", "copy")])
def test_another_name(place, authority, programs, name, how):
    program = installed(programs, name, how)
    old, new = authority.pair("a.example.com")
    site = make_site(place, old)
    nginx = place.nginx()
    nginx.command = lambda *more: [str(program), "-p", str(nginx.prefix), "-c", str(nginx.conf), "-e", str(nginx.log), *more]
    nginx.write(site.block()).start()
    found = place.run("scan", "--json").json["bindings"]
    assert [each["service"] for each in found] == [nginx.service]
    cert, _ = new.write(place / "new")
    done = place.run("rebind", old.thumbprint, cert)
    assert done.code == 0 and "committed" in done.all, done
    assert handshake(site.port, site.name) == new.thumbprint
    assert place.run("check").code == 0


@needs_root
def test_several_at_once(place, authority, programs):
    """Each is found once, beside one of the usual name."""
    services = set()
    for name in ("nginx", "tengine", "openresty"):
        program = installed(programs / name, name, "copy")
        nginx = place.nginx(name)
        nginx.command = lambda *more, nginx=nginx, program=program: [
            str(program), "-p", str(nginx.prefix), "-c", str(nginx.conf), "-e", str(nginx.log), *more]
        nginx.write(make_site(place, authority.issue([f"{name}.example.com"]), f"{name}.example.com").block()).start()
        services.add(nginx.service)
    found = [each["service"] for each in place.run("scan", "--json").json["bindings"]]
    assert sorted(found) == sorted(services)
