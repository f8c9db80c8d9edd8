"""Check: whether the data are fit for training."""

import msgspec

from learning.runs.work import Work
from learning.training.data_check import check as examine


def check(work: Work) -> None:
    """Record the findings about the bars. Raises ValueError with the errors in one line."""
    with work.lease.step("check") as detail:
        findings = examine(work.bars, work.settings.interval)
        detail.update(msgspec.to_builtins(findings))
        for line in findings.warnings:
            work.warned(line)
        if findings.errors:
            raise ValueError("; ".join(findings.errors))
