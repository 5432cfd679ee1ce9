"""A daemon that looks after one nginx."""
from waiting import until


def fenced(place, nginx):
    """The daemon leaves every other nginx of this machine alone."""
    place.configure("[daemon]\nquiet_seconds = 0.1\n"
                    f'[[policy]]\nservice = "{nginx.service}"\n[[policy]]\nautomatic = "no"\n')


def running_daemon(place):
    assert place.run("enable").code == 0
    daemon = place.popen("daemon")
    until(lambda: place.run("status", "--json").json["daemon"], "the daemon runs")
    return daemon
