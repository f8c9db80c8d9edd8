"""Check: whether the data may be learnt from."""

import msgspec

from learning.check import check as examine
from learning.work import Work


def check(work: Work) -> None:
    """Record what is to be said of the bars. Raises ValueError with the errors in one line."""
    with work.held.step("check") as detail:
        found = examine(work.bars, work.settings.interval)
        detail.update(msgspec.to_builtins(found))
        for line in found.warnings:
            work.warned(line)
        if found.errors:
            raise ValueError("; ".join(found.errors))
