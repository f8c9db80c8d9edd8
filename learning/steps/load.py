"""Load: the history, as it was when the run was asked for."""

from pathlib import Path

from learning import bar_copy, history
from learning.work import Work, out_of_memory_told
from models import provenance
from topics.units import interval_ms


def load(work: Work) -> None:
    """Read the last days of what is stored up to the run's bar, or of files; resumed, take the copy kept then."""
    options, settings, newest = work.held.run.options, work.settings, work.held.run.bar_time
    until = options.until
    if until is None and not options.files and newest is not None:
        until = newest + interval_ms(settings.interval)
    with work.held.step("load") as detail, out_of_memory_told():
        kept = bar_copy.load(work.folder)
        if kept is None:
            days = settings.retrain_days if options.days is None else options.days
            kept = history.bars(settings, days, until, [Path(name) for name in options.files])
            bar_copy.save(work.folder, kept)
        work.bars = kept
        detail.update({"rows": {frame.symbol: len(frame) for frame in kept}})
        if kept:
            detail.update({"data_sha256": provenance.data_sha256(kept)})
