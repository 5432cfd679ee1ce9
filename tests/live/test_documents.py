"""Every command in the pages of docs/ that people read first, run in the order of the page, on real servers."""
import pathlib
import re
import shlex

import pytest

from ports import free_port
from stages.one_frontend import frontend
from stages.one_site import make_site

DOCS = pathlib.Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
EXIT = re.compile(r"# .*\bexit (\d)")


def commands(page):
    """[(words, exit status)] of the page. A comment `# exit N` says what it is if it is not 0."""
    for block in BLOCK.findall((DOCS / page).read_text()):
        for line in block.splitlines():
            if line.strip():
                status = EXIT.search(line)
                yield shlex.split(line, comments=True), int(status[1]) if status else 0


def in_place(place, word):
    """/etc and /root are directories of the test; so is every path in a service's name."""
    return re.sub(r"(?<![^:\s])/(etc|root)/", rf"{place.path}/\1/", word)


def with_nginx(place, authority):
    """shop.example is renewed by certbot and not reloaded; for blog.example a loose file has come."""
    lives = place / "etc/letsencrypt/live"
    old, new = authority.pair("shop.example")
    shop = make_site(place, old, "shop.example", directory=lives / "shop.example")
    blog = make_site(place, authority.issue("blog.example", days=20), "blog.example",
                     directory=place / "etc/ssl/blog.example")
    api = make_site(place, authority.issue("api.example", days=20), "api.example",
                    directory=place / "etc/ssl/api.example")
    place.configure(stores=[("directory", lives)])
    nginx = place.nginx("etc/nginx")
    nginx.write("".join(site.block() for site in (shop, blog, api))).start()
    assert place.run("scan").code == 0
    new.write(shop.cert_path.parent)
    authority.issue("blog.example", days=90).write(place / "root", "blog.pem", "blog.key")


def with_one_site(place, authority):
    old, new = authority.pair("www.example")
    site = make_site(place, old, "www.example", directory=place / "etc/ssl/www.example")
    place.nginx("etc/nginx").write(site.block()).start()
    new.write(place / "root", "new.pem", "new.key")


def with_apache(place, authority):
    site = make_site(place, authority.issue("www.example", days=20), "www.example")
    apache = place.apache("etc/apache2")
    apache.conf = apache.prefix / "apache2.conf"
    apache.write(site.host(), ports=[site.port]).start()
    authority.issue("www.example", days=90).write(place / "root", "new.pem", "new.key")


def with_haproxy(place, authority):
    pem = authority.issue("www.example", days=20).write_combined(place / "etc/haproxy/www.pem")
    place.haproxy("etc/haproxy").write(frontend(free_port(), f"crt {pem}")).start()
    authority.issue("www.example", days=90).write(place / "root", "new.pem", "new.key")


PAGES = {"ten-minutes.md": with_nginx, "certificates.md": with_one_site, "how-it-decides.md": with_nginx, "nginx.md": with_nginx,
         "apache.md": with_apache, "haproxy.md": with_haproxy, "from-hooks.md": with_nginx,
         "from-iis.md": with_nginx, "troubleshooting.md": with_nginx}


@pytest.mark.parametrize("page", PAGES)
def test_its_commands_do_what_the_page_says(place, authority, page):
    PAGES[page](place, authority)
    for words, status in commands(page):
        assert words[0] == "certrebind", f"{page} has a command that nothing tries: {words}"
        done = place.run(*(in_place(place, word) for word in words[1:]))
        assert done.code == status, f"{page}: {shlex.join(words)}\n{done}"


def test_every_page_is_in_the_table():
    table = (DOCS / "index.md").read_text()
    for page in DOCS.glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in table, page


def test_links_lead_somewhere():
    for page in [*DOCS.glob("*.md"), DOCS.parent / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_example_of_a_description_is_one_that_servers_are_tried_with():
    page = (DOCS.parent / "packaging/man/certrebind-services.5").read_text()
    [example] = re.findall(r"^The description of stunnel:\n\.PP\n\.nf\n(.*?)^\.fi$", page, re.M | re.S)
    plain = example.replace(r"\(dq", '"').replace(r"\-", "-")
    assert plain == (DOCS.parent / "services.d/stunnel.toml").read_text()
