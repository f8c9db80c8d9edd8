"""Stopping a run that somebody no longer wants: at its next message, which is after an epoch's checkpoint or between
steps."""

from collections.abc import Callable
from time import monotonic

from learning.runs.lease import RunLease

EVERY_S = 1.0
"""Messages may be many a second; the database is asked this often at most."""


class RunStopped(BaseException):
    """Somebody asked for the run to stop. Not an Exception: it is no failure of a model, which others could survive."""


def stopping(lease: RunLease, on_message: Callable[[str], None], every_s: float = EVERY_S) -> Callable[[str], None]:
    """Return what passes a message on, and raises RunStopped after it if the run is to stop.

    Raises StorageError if the database fails: the run cannot record anything then.
    """
    asked_at = float("-inf")

    def told(words: str) -> None:
        nonlocal asked_at
        on_message(words)
        if monotonic() - asked_at >= every_s:
            asked_at = monotonic()
            why = lease.stop_requested()
            if why is not None:
                raise RunStopped(why)

    return told
