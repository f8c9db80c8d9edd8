"""The database for a backup or a restoration: a running one, or our own, which is started for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from settings import Settings
from stack import background, state
from stack.errors import MachineError
from stack.progress import Progress
from stack.servers import is_external
from stack.supervisor import is_locked


@contextmanager
def running(home: Path) -> Iterator[str]:
    """Yield the address of the database. Our own is started, alone, where the stack does not run, and then stopped.

    Raises MachineError if it cannot be started.
    """
    if is_external("postgres") or is_locked(home):
        known = state.read(home)
        if not is_external("postgres") and (known is None or not known.components["postgres"].works):
            raise MachineError("the stack's database does not work: see `./foretick status`")
        yield Settings().database_url.get_secret_value()
        return
    quiet = Progress("starting", "healthy", "running", "done", "stopped", "waiting")
    background.start(home, ("postgres",), quiet)
    try:
        yield Settings().database_url.get_secret_value()
    finally:
        background.stop(home, quiet)
