"""Load: the history up to the time of the request."""

from pathlib import Path

from learning.runs import bar_snapshot
from learning.runs.work import Work, out_of_memory_told
from learning.training import history
from models.registry import provenance
from topics.units import interval_ms


def load(work: Work) -> None:
    """Read the last days of stored bars up to the run's bar, or of files; when resumed, read the copy."""
    options, settings, newest = work.lease.run.options, work.settings, work.lease.run.bar_time
    until = options.until
    if until is None and not options.files and newest is not None:
        until = newest + interval_ms(settings.interval)
    with work.lease.step("load") as detail, out_of_memory_told():
        kept = bar_snapshot.load(work.folder)
        if kept is None:
            days = settings.retrain_days if options.days is None else options.days
            kept = history.bars(settings, days, until, [Path(name) for name in options.files])
            bar_snapshot.save(work.folder, kept)
        work.bars = kept
        detail.update({"rows": {frame.symbol: len(frame) for frame in kept}})
        if kept:
            detail.update({"data_sha256": provenance.data_sha256(kept)})
