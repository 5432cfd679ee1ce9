"""`check` as a monitoring system runs it."""
import datetime
import pathlib
import re
import shlex
import subprocess


from files import write
from markers import needs_root
from ports import free_port
from stages.one_site import Site, make_site

PACKAGING = pathlib.Path(__file__).parents[2] / "packaging"
OK, WARNING, CRITICAL, UNKNOWN = range(4)


class Sites:
    """Several sites of one nginx, each with a certificate of so many days."""

    def __init__(self, place, authority, **days):
        self.place, self.nginx = place, place.nginx()
        self.port = free_port()
        blocks = ""
        for name, left in days.items():
            name = name + ".example.com"
            start = datetime.datetime.utcnow() - datetime.timedelta(days=100)
            certificate = authority.issue(name, not_before=start, days=left)
            paths = certificate.write(place / "certs" / name)
            blocks += Site(name, self.port, certificate, *paths).block()
        self.nginx.write(blocks).start()

    def check(self, *options):
        return self.place.run("check", *options, "--service", self.nginx.service)


def sites_in(done):
    return re.findall(r"^(?:OK|WARNING|CRITICAL) +(\w+)\.example\.com", done.out, re.M)


def test_the_worst_comes_first_and_is_named_first(place, authority):
    sites = Sites(place, authority, a=60, b=-1, c=60, d=2, e=2, f=2)
    done = sites.check()
    assert done.code == CRITICAL
    assert done.out.startswith("CRITICAL - b.example.com, d.example.com, e.example.com and 1 more; 6 bindings: "), done
    assert sites_in(done) == ["b", "d", "e", "f", "a", "c"]
    assert re.search(r"\| bindings=6 ok=2 warning=3 critical=1 days_left=-\d", done.out), done


def test_only_what_was_asked_for(place, authority):
    sites = Sites(place, authority, a=60, b=40, c=5)
    assert sites_in(sites.check("--problems")) == ["c"]
    assert sites.check("--problems").code == WARNING
    assert sites_in(sites.check("--expiring", 50)) == ["c", "b"]
    one = sites.check("--site", "a.example.com")
    assert sites_in(one) == ["a"] and one.code == OK
    nobody = sites.check("--site", "nobody.example.com")
    assert nobody.code == UNKNOWN and nobody.out.startswith("UNKNOWN - no server has a site nobody.example.com"), nobody
    assert sites.check("--site", "nobody.example.com", "--json").json["level"] == "UNKNOWN"
    assert [each["site"] for each in sites.check("--problems", "--json").json["bindings"]] == ["c.example.com"]


def test_the_days_of_the_monitoring_system(place, authority):
    sites = Sites(place, authority, a=60, b=40, c=5)
    assert sites.check("--warning", 3).code == OK
    done = sites.check("--warning", 50, "--critical", 10)
    assert done.code == CRITICAL and "days_left=4;50:;10:" in done.out, done
    assert "almost expired" in done.out and "about to expire" in done.out, done
    assert sites.check("--warning", "soon").code == UNKNOWN
    assert sites.check("--warning", -1).code == UNKNOWN


def test_errors_are_on_stdout(place, authority):
    """A monitoring system shows nothing else."""
    sites = Sites(place, authority, a=60)
    write(sites.nginx.conf, sites.nginx.conf.read_text() + "nonsense;\n")
    done = sites.check()
    assert done.code != OK and "no reload can succeed" in done.out and done.err == "", done
    write(place / "certrebind.toml", "[chekc]\n")
    done = sites.check()
    assert done.code == UNKNOWN and done.out.startswith("UNKNOWN - ") and "chekc" in done.out, done


def test_problems_of_thousands_fit(place, authority):
    """One certificate that expires soon, for 3,000 servers."""
    certificate = authority.issue("*.example.com", days=2, not_before=datetime.datetime.utcnow()
                                  - datetime.timedelta(days=100))
    cert, key = certificate.write(place / "certs")
    nginx, port = place.nginx(), free_port()
    text = f"server_names_hash_max_size 65536;\nssl_certificate {cert}; ssl_certificate_key {key};\n"
    text += "".join(f"server {{ listen 127.0.0.1:{port} ssl; server_name s{n}.example.com; }}\n" for n in range(3000))
    nginx.write(text).start()
    done = place.run("check", "--problems", "--service", nginx.service)
    assert done.code == WARNING and len(done.out) < 8192, len(done.out)
    told = len(sites_in(done))
    assert told > 20 and f"and {3000 - told} more; all of them: " in done.out, done.out[-300:]


@needs_root
def test_monitoring_recipes_are_valid(place):
    """The commands in packaging/monitoring are commands of this certrebind."""
    assert "*" not in "".join(line for line in (PACKAGING / "monitoring/sudoers").read_text().splitlines()
                              if not line.startswith("#")), "sudo's wildcard matches whole options"
    visudo = pathlib.Path("/usr/sbin/visudo")
    if visudo.exists():
        subprocess.run([visudo, "-cf", PACKAGING / "monitoring/sudoers"], check=True, capture_output=True)
    for line in (PACKAGING / "monitoring/nrpe.cfg").read_text().splitlines():
        if not line.startswith("command"):
            continue
        words = line.split("=", 1)[1].split()
        assert words[:3] == ["/usr/bin/sudo", "-n", "/usr/bin/certrebind"]
        done = place.run(*words[3:], "--service", "nginx:/nonexistent/nginx.conf")
        assert done.code == UNKNOWN and done.out.startswith("UNKNOWN - "), done


def test_one_site_has_no_notes_on_others(place, authority):
    one, other = (make_site(place, authority.issue(name), name) for name in ("a.example.com", "b.example.com"))
    cert, key = authority.issue(other.name).write(place / "never-shown")
    nginx = place.nginx()
    nginx.write(one.block() + other.block(extra=f"    ssl_certificate {cert};\n    ssl_certificate_key {key};\n")).start()

    def noted(*words):
        return "is shadowed" in place.run("check", *words, "--service", nginx.service).out

    assert noted() and noted("--site", other.name) and not noted("--site", one.name)


def test_a_printed_command_can_be_pasted(place, authority):
    """Whatever the path is: a shell reads it as one word."""
    old = authority.issue("a.example.com")
    site = make_site(place, old, directory=place / "it's; id here")
    quoted = site.block().replace(str(site.cert_path), f'"{site.cert_path}"').replace(str(site.key_path), f'"{site.key_path}"')
    nginx = place.nginx()
    nginx.write(quoted).start()
    done = place.run("rebind", old.thumbprint, old.thumbprint, "--service", nginx.service)
    assert done.code == OK, done  # it is proven, and kept
    authority.issue("other.example.com").write(site.cert_path.parent)
    out = place.run("check", "--service", nginx.service).out
    command = re.search(r"certrebind restore (.*)", out)[1]
    assert shlex.split(command) == [str(site.cert_path)], out


def test_a_renewal_that_is_not_served_lowers_no_alarm(place, authority):
    """The outage that everybody knows: renewed weeks ago, never reloaded, and the old one is about to end."""
    sites = Sites(place, authority, a=4)
    authority.issue("a.example.com", days=89).write(place / "certs/a.example.com")
    done = sites.check("--warning", "14", "--critical", "7")
    assert done.code == CRITICAL and "which expires on" in done.out and "days_left=3" in done.out, done
    assert "next: certrebind rebind" in done.out
    assert sites.check().code == WARNING, "without limits it is only not reloaded yet"


def test_the_name_of_a_site_begins_no_performance_data(place, authority):
    certificate = authority.issue("a.example.com", days=2)
    paths = certificate.write(place / "certs")
    nginx = place.nginx()
    nginx.write(Site('"a|days_left=9999"', free_port(), certificate, *paths).block()).start()
    first = place.run("check", "--service", nginx.service).out.splitlines()[0]
    assert "a/days_left=9999" in first and first.count("|") == 1, first
