"""Whoever owns the directory in which a certificate lies gains nothing by certrebind being root."""
import os
import subprocess

import pytest

from files import difference, snapshot, write
from stages.one_site import OneSite

TENANT = 33

if os.geteuid() != 0:
    pytest.skip("only root can give a directory away", allow_module_level=True)


def own(path, user=TENANT):
    os.chown(path, user, user, follow_symlinks=False)


def as_tenant(*command):
    return subprocess.run(["setpriv", "--reuid", str(TENANT), "--regid", str(TENANT), "--clear-groups",
                           *map(str, command)], capture_output=True, text=True, check=False)


@pytest.fixture
def tenants(place, authority):
    """A site whose certificate and key are root's, in a directory that is not."""
    one = OneSite(place, authority)
    own(one.site.cert_path.parent)
    return one


def test_nothing_is_written_where_others_could_lead_us_elsewhere(tenants):
    one = tenants
    before = snapshot(one.site.cert_path.parent)
    for act in ("plan", "rebind"):
        done = one.run(act, one.old.thumbprint, one.new_cert)
        assert done.code == 1, done
        assert f"belongs to user {TENANT}" in done.out + done.err, done
        assert "only root may change" in done.out + done.err
    assert difference(before, snapshot(one.site.cert_path.parent)) == []
    assert one.served() == one.old.thumbprint and one.nginx.reloads() == 0


def test_an_access_list_that_lets_somebody_write_is_seen(place, authority):
    """Owner and group are root; the list shows in the group's bits alone."""
    one = OneSite(place, authority)
    directory = one.site.cert_path.parent
    subprocess.run(["setfacl", "-m", f"u:{TENANT}:rwx", directory], check=True)
    assert directory.stat().st_gid == 0
    done = one.run("rebind", one.old.thumbprint, one.new_cert)
    assert done.code == 1 and "others may change it" in done.out + done.err, done
    assert one.served() == one.old.thumbprint


def test_what_its_owner_renewed_himself_is_reloaded(tenants):
    one = tenants
    write(one.site.cert_path, one.new.fullchain_pem)
    write(one.site.key_path, one.new.key_pem)
    done = one.run("rebind", one.old.thumbprint, one.site.cert_path)
    assert done.code == 0, done
    assert one.served() == one.new.thumbprint


def test_a_link_of_his_leads_nothing_of_ours_over_a_foreign_file(place, authority):
    """At rest it is a link to what he cannot even see; `restore` has no test of the server before."""
    one = OneSite(place, authority)
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    own(one.site.cert_path.parent)
    victim = place / "rootonly/victim"
    victim.parent.mkdir(mode=0o700)
    write(victim, "precious\n")
    one.site.key_path.unlink()
    one.site.key_path.symlink_to(victim)
    done = one.run("restore", one.name)
    assert victim.read_text() == "precious\n"
    assert done.code == 1 and f"belongs to user {TENANT}" in done.out + done.err, done


def test_restore_writes_no_key_where_others_could_take_it(place, authority):
    one = OneSite(place, authority)
    assert one.run("rebind", one.old.thumbprint, one.new_cert).code == 0
    directory = one.site.cert_path.parent
    own(directory)
    one.site.key_path.unlink()
    write(one.site.key_path, "x\n")
    own(one.site.key_path)
    os.chmod(one.site.key_path, 0o644)
    done = one.run("restore", one.name)
    assert done.code == 1 and f"belongs to user {TENANT}" in done.out + done.err, done
    assert one.site.key_path.read_text() == "x\n"


def test_no_key_is_taken_through_a_link_of_his(place, authority):
    one = OneSite(place, authority)
    upload = place / "upload"
    upload.mkdir()
    secret = place / "rootonly"
    secret.mkdir(mode=0o700)
    key = secret / "privkey.pem"
    write(key, one.new.key_pem)
    write(upload / "fullchain.pem", one.new.fullchain_pem)
    (upload / "privkey.pem").symlink_to(key)
    own(upload)
    for given in ([], ["--key", upload / "privkey.pem"]):
        done = one.run("rebind", one.old.thumbprint, upload / "fullchain.pem", *given)
        assert done.code != 0 and f"belongs to user {TENANT}" in done.out + done.err, done
    assert one.served() == one.old.thumbprint
    assert one.site.key_path.read_text() == one.old.key_pem


@pytest.mark.parametrize("mode, group", [(0o600, 0), (0o640, 0), (0o640, 4)])
def test_an_access_list_for_new_files_lets_nobody_read_the_new_key(place, authority, mode, group):
    one = OneSite(place, authority)
    os.chown(one.site.key_path, 0, group)
    os.chmod(one.site.key_path, mode)
    for directory in (one.site.cert_path.parent, *one.site.cert_path.parent.parents):
        if directory == place.path.parent:
            break
        os.chmod(directory, 0o755)
    subprocess.run(["setfacl", "-d", "-m", f"u:{TENANT}:rw", one.site.cert_path.parent], check=True)
    assert as_tenant("cat", one.site.cert_path).returncode == 0, "he can go there"
    done = one.run("rebind", one.old.thumbprint, one.new_cert)
    assert done.code == 0, done
    assert one.site.key_path.read_text() == one.new.key_pem
    assert as_tenant("cat", one.site.key_path).returncode != 0
    found = subprocess.run(["getfacl", "-cp", one.site.key_path], capture_output=True, text=True,
                           check=True).stdout
    assert f"user:{TENANT}" not in found and "www-data" not in found, found
