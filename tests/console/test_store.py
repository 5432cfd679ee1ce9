"""Certificates of certrebind's own store, through the page: import, request, complete, self-sign, export, remove."""
import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from stages.one_site import OneSite


@pytest.fixture
def one(place, authority):
    return OneSite(place, authority)


def pfx_of(certificate, authority, password=b"open sesame"):
    return pkcs12.serialize_key_and_certificates(b"site", certificate.key, certificate.leaf, [authority.intermediate],
                                                 BestAvailableEncryption(password))


def stored(place):
    return [one for one in place.run("certificates", "--json").json["certificates"] if "/certificates/" in one["path"]]


def test_a_pfx_is_imported_and_the_rebind_is_offered(place, authority, one, page):
    (place / "new.pfx").write_bytes(pfx_of(one.new, authority))
    page.open("certificates")
    page.act("Import…")
    page.upload("Certificate", place / "new.pfx")
    page.fill("Password", "open sesame")
    page.shot("import")
    page.click("Import")
    page.sees("a.example.com is in the store.")
    page.sees("1 site serves its predecessor.")
    page.click("Rebind", "link")
    page.click("Plan")
    page.click("Rebind 1 binding")
    page.sees("The rebind is over")
    page.sees("2 endpoints and names show the new certificate")
    assert one.served() == one.new.thumbprint
    assert [each["thumbprint"] for each in stored(place)] == [one.new.thumbprint]


def test_a_certificate_and_its_key_in_two_files_of_der(place, authority, one, page):
    other = authority.issue("b.example.com")
    (place / "b.cer").write_bytes(other.der)
    (place / "b.key").write_bytes(subprocess.run(["openssl", "pkey", "-outform", "DER"], input=other.key_pem.encode(),
                                                 capture_output=True, check=True).stdout)
    page.open("certificates")
    page.act("Import…")
    page.upload("Certificate", place / "b.cer")
    page.upload("Private key, if it is a file of its own", place / "b.key")
    page.click("Import")
    page.sees("b.example.com is in the store.")


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_imports_nothing(place, authority, one, page, password):
    (place / "new.pfx").write_bytes(pfx_of(one.new, authority))
    page.open("certificates")
    page.act("Import…")
    page.upload("Certificate", place / "new.pfx")
    if password:
        page.fill("Password", password)
    page.click("Import")
    page.do("await page.getByRole('dialog').getByText(/password/i).last().waitFor()")
    page.do("await page.locator('.pf-m-danger.pf-v6-c-alert').first().waitFor()")
    assert stored(place) == []


def test_a_pair_that_does_not_match_is_refused(place, authority, one, page):
    other = authority.issue("b.example.com")
    (place / "b.pem").write_text(other.fullchain_pem)
    (place / "b.key").write_text(one.old.key_pem)
    page.open("certificates")
    page.act("Import…")
    page.upload("Certificate", place / "b.pem")
    page.upload("Private key, if it is a file of its own", place / "b.key")
    page.click("Import")
    page.do("await page.locator('.pf-m-danger.pf-v6-c-alert').first().waitFor()")
    assert "another certificate" in page.text
    assert stored(place) == []


def test_advice_names_the_fields_of_the_form(place, authority, one, page):
    """The command's own advice names its options."""
    (place / "b.pem").write_text(authority.issue("b.example.com").fullchain_pem)
    page.open("certificates")
    page.act("Import…")
    page.upload("Certificate", place / "b.pem")
    page.click("Import")
    page.sees("there is no private key for it in standard input")
    page.sees("Next: look at “Private key, if it is a file of its own” in this form")
    assert "--key" not in page.do("return await page.getByRole('dialog').innerText()")
    page.click("Cancel")
    page.open("rebind")
    page.choose("Old: every site that serves it", "a.example.com")
    page.fill("… or a file on this machine", str(place / "b.pem"))
    page.click("Plan")
    page.sees("look at “Its key, if it does not lie beside it” in this form")


def test_what_preflight_refuses_may_be_accepted_in_the_dialog(place, authority, one, page):
    names = ["b.example.com", "c.example.com"]
    for count in (2, 1):
        made = authority.issue(names[:count])
        (place / f"{count}.pem").write_text(made.fullchain_pem + made.key_pem)
    assert place.run("import", place / "2.pem").code == 0
    page.open("certificates")
    page.act("Import…")
    page.upload("Certificate", place / "1.pem")
    page.click("Import")
    page.do("await page.getByLabel(/Go on all the same .name-lost./).check()")
    page.click("Import")
    page.sees("b.example.com is in the store.")


def test_a_request_is_made_signed_elsewhere_and_completed(place, authority, one, page):
    page.open("certificates")
    page.act("Create Certificate Request…")
    page.fill("Names", "new.example.com, www.new.example.com")
    page.click("Create")
    page.sees("The request new.example.com is open.")
    csr = place.run("requests", "--json").json["requests"][0]["path"]
    page.click("Close")
    signed = sign(place, authority, csr)
    page.act("Complete Certificate Request…")
    page.fill("… or its text", signed)
    page.click("Complete")
    page.sees("new.example.com is in the store.")
    page.click("Close")
    page.sees("new.example.com")
    assert place.run("requests", "--json").json["requests"] == []
    assert stored(place)[0]["key_at_hand"]


def test_an_open_request_is_shown_again_and_removed(place, page):
    assert place.run("request", "new.example.com").code == 0
    csr = place.run("requests", "--json").json["requests"][0]["csr"]
    page.open("certificates")
    page.act("Open Certificate Requests…")
    page.sees("new.example.com; ECDSA P-256")
    assert page.violations() == []
    page.shot("requests")
    assert page.do("return await page.getByLabel('The request new.example.com').first().inputValue()").split() == csr.split()
    assert saved(page, place, "Save as a file") == csr.encode()
    page.click("Remove…")
    page.sees("Its key is deleted, too.")
    assert place.run("requests", "--json").json["requests"]
    page.click("Remove")
    page.sees("No request is open on this machine.")
    assert place.run("requests", "--json").json["requests"] == []


def sign(place, authority, csr):
    """What a certificate authority does: here the real openssl."""
    from cryptography.hazmat.primitives import serialization
    key, ca = place / "ca.key", place / "ca.pem"
    key.write_bytes(authority.intermediate_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    ca.write_text(authority.intermediate_pem)
    (place / "ext").write_text("subjectAltName=DNS:new.example.com,DNS:www.new.example.com\nextendedKeyUsage=serverAuth\n")
    done = subprocess.run(["openssl", "x509", "-req", "-in", csr, "-CA", ca, "-CAkey", key, "-days", "90", "-extfile", place / "ext"],
                          capture_output=True, check=True, text=True)
    return done.stdout


def test_a_self_signed_certificate_is_made_viewed_exported_and_removed(place, one, page):
    page.open("certificates")
    page.act("Create Self-Signed Certificate…")
    page.fill("Names", "test.example.com")
    page.click("Create")
    page.sees("test.example.com is in the store.")
    page.click("Close")
    page.act("View…", row="test.example.com")
    page.sees("TLS Web Server Authentication")
    page.sees(stored(place)[0]["sha1"])
    page.click("Close", exact=True)
    exported = export(page, place)
    assert b"BEGIN CERTIFICATE" in exported and b"KEY" not in exported
    pfx = export(page, place, password="open sesame", with_key=True)
    key, leaf, _ = pkcs12.load_key_and_certificates(pfx, b"open sesame")
    assert key.public_key().public_numbers() == leaf.public_key().public_numbers()
    assert [event["id"] for event in place.run("events", "--json").lines].count(1007) == 2
    page.act("Remove…")
    page.click("Remove")
    page.sees("It is archived in")
    assert stored(place) == []


def test_each_action_is_of_the_chosen_copy(place, one, page):
    """The same certificate twice in the store."""
    for name in ("one", "two"):
        assert place.run("import", one.new_cert, "--key", one.new_key, "--name", name).code == 0
    paths = {each["path"].split("/")[-3]: each["path"] for each in stored(place)}
    page.open("certificates", f"certificate={paths['two']}+{one.new.thumbprint}")
    page.act("View…")
    page.sees(paths["two"])
    assert paths["one"] not in page.do("return await page.getByRole('dialog').innerText()")
    page.click("Close", exact=True)
    page.act("Export…")
    assert page.do("return await page.getByLabel('The command').inputValue()").endswith(paths["two"])
    page.click("Cancel")
    page.act("Remove…")
    page.click("Remove")
    page.sees("It is archived in")
    assert [each["path"] for each in stored(place)] == [paths["one"]]


def export(page, place, password="", with_key=False):
    """The Export dialog, and the file that the browser saves."""
    page.act("Export…")
    if password:
        page.choose("Format", "PFX")
        page.fill("Password", password)
    if with_key:
        page.do("await page.getByLabel('With the private key').check()")
    return saved(page, place, "Export")


def saved(page, place, button):
    """What the browser saves if this button of the dialog is clicked."""
    path = place / "saved"
    page.do("""const saved = page.waitForEvent('download');
               await page.getByRole('dialog').getByRole('button', {name: given.button, exact: true}).click();
               await (await saved).saveAs(given.path)""", {"button": button, "path": str(path)})
    return path.read_bytes()


def test_what_a_site_uses_is_not_removed(place, one, page):
    page.open("certificates")
    page.act("Remove…", row="a.example.com")
    page.click("Remove")
    page.do("await page.locator('.pf-m-danger.pf-v6-c-alert').first().waitFor()")
    assert one.site.cert_path.exists()


def test_a_certificate_that_nobody_renews_says_so(one, page):
    page.open("certificates")
    page.act("Renew…", row="a.example.com")
    page.sees("No tool on this machine is known to renew this certificate.")


def test_rebind_to_begins_with_the_chosen_certificate(one, page):
    page.open("certificates")
    page.act("Rebind to…", row="a.example.com")
    page.sees("Old: every site that serves it")
    assert page.do("return await page.getByLabel('Old: every site that serves it').inputValue()") == one.old.thumbprint


def test_the_switch_is_in_the_actions_too(place, one, page):
    page.open("certificates")
    page.act("Enable Automatic Rebind of Renewed Certificates")
    page.click("Enable")
    page.sees("1 binding is looked after from now on.")
    assert place.run("status", "--json").json["enabled"]


def test_keys_and_passwords_leave_no_trace(place, authority, one, page, cockpit):
    """Neither in the document, the address and the storage of the browser, nor in argument lists, the log and the state."""
    (place / "new.pfx").write_bytes(pfx_of(one.new, authority))
    secret = one.new.key_pem.splitlines()[1]
    import os
    watched = watch_arguments()
    page.open("certificates")
    page.act("Import…")
    page.upload("Certificate", place / "new.pfx")
    page.fill("Password", "open sesame")
    while_open = page.html
    page.click("Import")
    page.sees("a.example.com is in the store.")
    arguments = watched()
    assert any("import" in line for line in arguments), "the command was seen"
    everything = [while_open, page.html, page.memory(), page.url, str(page.do("return context.asked")), cockpit.log.read_text(errors="replace"),
                  *arguments]
    for kept in os.walk(place.state):
        everything += [open(os.path.join(kept[0], name), errors="replace").read() for name in kept[2]]
    everything.append(place.run("events", "--json").out)
    assert not [text for text in everything if "sesame" in text or secret in text]


def watch_arguments():
    """From now on the arguments of all processes that run; ends when called."""
    import pathlib
    import threading
    seen, over = set(), threading.Event()

    def look():
        while not over.is_set():
            for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    pass  # it ended
    thread = threading.Thread(target=look, daemon=True)
    thread.start()

    def end():
        over.set()
        thread.join()
        return seen
    return end
