"""What a viewer of the training page has chosen, what is chosen for them, and its form in the address."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dashboard.series_colours import MOST
from learning.tracking.learning_curve import losses
from learning.tracking.mlflow_reader import LoggedRun

IN_TRAINING, HELD_OUT = (name.removeprefix("epochs/") for name in losses("epoch"))
BY_SPLIT = "by split: "
CPU, MEMORY = "system/process CPU percent of a core", "system/process memory MB"
GPU, GPU_MEMORY = "system/machine GPU percent", "system/machine GPU memory MB"
SYSTEM = (CPU, MEMORY, GPU, GPU_MEMORY)
SHOWN_BY_ITSELF = 3
"""How many runs the page chooses where the viewer has not."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The ids of the runs that are compared, a group of losses, a metric by split, a run of the pipeline.

    Empty or None: the page may choose.
    """

    runs: tuple[str, ...] = ()
    group: str | None = None
    split: str | None = None
    pipeline: str | None = None


def parse(given: Mapping[str, str]) -> Choice:
    """Read the address."""
    return Choice(
        runs=tuple(name for name in given.get("runs", "").split(",") if name)[:MOST],
        group=given.get("curve") or None,
        split=given.get("split") or None,
        pipeline=given.get("run") or None,
    )


def query(choice: Choice) -> dict[str, str | None]:
    """Return the parts of the address that restore the choice; None is the default."""
    return {
        "runs": ",".join(choice.runs) or None,
        "curve": choice.group,
        "split": choice.split,
        "run": choice.pipeline,
    }


def groups(runs: Iterable[LoggedRun]) -> list[str]:
    """Return the groups of losses that the runs have: epochs, or rounds by horizon."""
    ending = f"/{HELD_OUT}"
    return sorted({name.removesuffix(ending) for run in runs for name in run.metrics if name.endswith(ending)})


def metric_label(metric: str) -> str:
    """Return a metric or a group of losses as people read it: in MLflow the zeros before a number sort it.

    >>> metric_label("by split: R²/05 bars ahead"), metric_label("round 01 bars ahead")
    ('R², 5 bars ahead', 'round 1 bar ahead')
    """
    text = re.sub(r"\b0(?=\d)", "", metric.removeprefix(BY_SPLIT)).replace("/", ", ")
    return re.sub(r"\b1 bars", "1 bar", text)


def splits(runs: Iterable[LoggedRun]) -> list[str]:
    """Return the metrics by split that the runs have."""
    return sorted({name for run in runs for name in run.metrics if name.startswith(BY_SPLIT)})


def settle(choice: Choice, runs: Sequence[LoggedRun], parent: str | None) -> tuple[str, ...]:
    """Return the ids of the runs to show: those chosen that exist, else models of the run `parent`, else the newest."""
    known = {run.run_id for run in runs}
    chosen = tuple(run_id for run_id in choice.runs if run_id in known)
    if chosen:
        return chosen
    curved = [run for run in runs if groups([run]) or splits([run])]
    own = [run for run in curved if parent is not None and run.parent == parent]
    return tuple(run.run_id for run in (own or curved)[:SHOWN_BY_ITSELF])
