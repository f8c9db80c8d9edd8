"""A worker or persist that can be told to die at a point of its work: `python -m bench.chaos.crash worker|persist`.

<home>/crash-at names the point; the process that comes there first takes the file away and ends at once, as by SIGKILL.
What happened that is rare is written to <home>/reached.log, for the suite to see that it was reached.
"""

import asyncio
import os
import runpy
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import storage.timescale
import stream.recovery
import stream.shell
from bench.chaos.crash_points import ARMED, HELD, HELD_S, REACHED, REBALANCE
from broker.interface import Delivery
from broker.origin import Origin
from observability.tracer import Span
from storage.timescale import Writer
from stream.shell import Change, Shell

home = Path(os.environ["FORETICK_HOME"])


def point(name: str) -> None:
    """Die here where that was asked for."""
    armed = home / ARMED
    try:
        if armed.read_text() != name:
            return
        armed.unlink()
    except OSError:
        return
    reached(f"crash: {name}")
    os.kill(os.getpid(), signal.SIGKILL)


def reached(what: str) -> None:
    """Write down that something rare happened."""
    with (home / REACHED).open("a") as file:
        file.write(f"{what}\n")


class Crashing(Shell[Any, Any]):
    """A shell that may die between two steps of finishing a slice."""

    async def _finish(
        self,
        stream: Any,
        events: Sequence[Any],
        posted: Sequence[Delivery],
        changes: Sequence[Change[Any]],
        origin: Origin,
        span: Span,
    ) -> None:
        await super()._finish(_Told(stream), events, posted, changes, origin, span)
        point("offsets acknowledged")

    def _store(self, change: Change[Any]) -> None:
        point("outputs delivered")
        super()._store(change)


class _Told:
    """The stream, with a point before the first acknowledgement of a slice."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._first, self.app = stream, True, stream.app

    async def ack(self, event: Any) -> None:
        if self._first:
            point("state written")
            self._first = False
        await self._stream.ack(event)


class StoringWriter(Writer):
    """A writer whose process may die once the rows are on disk and their offsets are not."""

    async def write(self, *arguments: Any, **named: Any) -> None:
        """Write, and perhaps die."""
        await super().write(*arguments, **named)
        point("rows stored")


class TellingRecovery(stream.recovery.SeekFirstRecovery):
    """A recovery that may take long, and tells where the partitions were shared out anew before it was over."""

    async def _build_highwaters(self, *arguments: Any, **named: Any) -> None:
        if (home / HELD).exists():
            await asyncio.sleep(HELD_S)
        await super()._build_highwaters(*arguments, **named)

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Finish; tell where another rebalance began meanwhile."""
        if self.app.consumer_generation_id != generation_id:
            reached(REBALANCE)
        await super().on_recovery_completed(generation_id)

    async def on_rebalance(self, *arguments: Any, **named: Any) -> None:
        """Begin anew; tell where the one before was not over."""
        if self.in_recovery:
            reached(REBALANCE)
        await super().on_rebalance(*arguments, **named)


if __name__ == "__main__":
    name = sys.argv[1]
    stream.recovery.SeekFirstRecovery = TellingRecovery
    stream.shell.Shell = Crashing
    storage.timescale.Writer = StoringWriter
    runpy.run_path(str(Path(__file__).parents[2] / "stream" / f"{name}.py"), run_name="__main__")
