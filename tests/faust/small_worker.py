"""A worker with one stage, ticks to bars, as a process of its own: what Faust does to it, it does to every stage.

With FAIL_AT=TIME the stage raises at the tick of that time, until the file FAIL_ONCE exists, which it makes first.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from settings import Settings
from stream.app import run
from stream.bars import Bars, BarStates
from stream.shell import Output, Part
from stream.worker import make_worker
from topics.records import Tick


class Failing(Bars):
    """The stage with a defect."""

    def step(self, state: BarStates, parts: Sequence[Part[Tick]]) -> tuple[BarStates, list[Output]]:
        """Build bars; at one tick, end as a defect does that no record is to blame for."""
        once = Path(os.environ["FAIL_ONCE"])
        if not once.exists() and any(tick.time == int(os.environ["FAIL_AT"]) for p in parts for tick in p.records):
            once.touch()
            os._exit(70)
        return super().step(state, parts)


if __name__ == "__main__":
    stage = Failing("1m", 0) if "FAIL_AT" in os.environ else Bars("1m", 0)
    run(make_worker(Settings(), [stage]))
