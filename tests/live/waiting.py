"""Waits for a condition instead of sleeping for a fixed time."""
import datetime
import time

PATIENCE = 30  # seconds after which a test gives up waiting


def until(look, what, seconds=PATIENCE):
    """Calls `look` until it returns a true value, and returns that. Fails after `seconds`.

    Pauses as long as `look` took: where it starts programs, others need the processor."""
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        seen = look()
        if seen:
            return seen
        ended = time.monotonic()
        if ended > deadline:
            raise AssertionError(f"waited {seconds} s in vain until {what}")
        time.sleep(max(0.02, ended - began))


def window(starts_in):
    """An hour that begins so many hours from now, in UTC."""
    begin = datetime.datetime.utcnow() + datetime.timedelta(hours=starts_in)
    return f"{begin:%H:%M}-{begin + datetime.timedelta(hours=1):%H:%M} UTC"
