"""Waits for a condition instead of sleeping for a fixed time."""
import time

PATIENCE = 30  # seconds after which a test gives up waiting


def until(look, what, seconds=PATIENCE):
    """Calls `look` until it returns a true value, and returns that. Fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain until {what}")
        time.sleep(0.02)
