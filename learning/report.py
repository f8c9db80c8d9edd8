"""What came of a run, for whoever asked for it."""

import msgspec

from learning.run_records import Run, Step
from learning.work import Work


class Outcome(msgspec.Struct, frozen=True):
    """What came of one model; `error` is the first thing that failed, None where nothing did."""

    model: str
    version: str | None
    skill: float | None
    skill_error: float | None
    role: str | None
    why: str
    error: str | None


class Report(msgspec.Struct, frozen=True):
    """A run, its steps and its models."""

    run: Run
    steps: list[Step]
    models: list[Outcome]

    @property
    def failed(self) -> bool:
        """Tell whether the run or one of its models failed."""
        return self.run.state == "failed" or any(outcome.error for outcome in self.models)


def outcomes(work: Work) -> list[Outcome]:
    """Return what came of each model of a run."""
    return [_outcome(work, name) for name in work.classes]


def _outcome(work: Work, name: str) -> Outcome:
    fitted, skill, deployed = work.fitted.get(name), work.skills.get(name), work.deployed.get(name)
    return Outcome(
        name,
        None if fitted is None else fitted.version,
        None if skill is None else skill.mean,
        None if skill is None else skill.error,
        None if deployed is None else deployed.role,
        "" if deployed is None else deployed.why,
        work.failures.get(name),
    )
