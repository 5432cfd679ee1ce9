"""A mistake in certrebind.toml stops nothing silently."""
from files import write
from stages.daemon import Watch
from stages.one_site import OneSite
from waiting import until


def test_what_it_said_before_is_in_force(place, authority):
    """A misspelt key: the renewal is served all the same, a person is told, and mending it ends that."""
    stage = OneSite(place, authority)
    watch = Watch(place, stage.nginx).start(stage.old)
    good = place.config.read_text()
    write(place.config, good + "second = 5\n")

    def told():
        return [event for event in place.run("events", "--json", "--config", place / "none.toml").lines
                if event["id"] == 2012 and "second" in event["message"]]
    write(place / "none.toml", "default_stores = false\n")
    until(told, "the mistake is an event")
    assert "what it said before is in force" in told()[0]["message"], told()
    status = place.run("status")
    assert status.code != 0 and "'second'" in status.err and "seconds" in status.err, status
    write(stage.site.cert_path, stage.new.fullchain_pem)
    write(stage.site.key_path, stage.new.key_pem, 0o600)
    stage.nginx.wait_served(stage.new.thumbprint, stage.port, stage.name)
    write(place.config, good)
    until(lambda: not watch.status()["needs_person"], "nothing needs a person any more")
    watch.stop()


def test_mending_it_is_noticed_at_once(place, authority):
    """The daemon never saw a good one; the renewal waits for it, and not for an hour."""
    stage = OneSite(place, authority)
    watch = Watch(place, stage.nginx).start(stage.old)
    good = place.config.read_text()
    for copy in place.path.glob(".*.last-good"):
        copy.unlink()
    write(place.config, good + "nonsense = 1\n")
    write(stage.site.cert_path, stage.new.fullchain_pem)
    write(stage.site.key_path, stage.new.key_pem, 0o600)
    until(lambda: "nonsense" in watch.log.read_text(), "the daemon has seen the mistake")
    write(place.config, good)
    stage.nginx.wait_served(stage.new.thumbprint, stage.port, stage.name)
    watch.stop()
