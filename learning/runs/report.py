"""The report of a run."""

import msgspec

from learning.runs.records import PipelineRun, Step
from learning.runs.work import Work


class ModelOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one model; `error` is the first failure, None if there was none."""

    model: str
    version: str | None
    skill: float | None
    skill_error: float | None
    role: str | None
    why: str
    error: str | None


class Report(msgspec.Struct, frozen=True):
    """A run, its steps and its models."""

    run: PipelineRun
    steps: list[Step]
    models: list[ModelOutcome]

    @property
    def failed(self) -> bool:
        """Return whether the run or one of its models failed."""
        return self.run.state == "failed" or any(outcome.error for outcome in self.models)


def outcomes(work: Work) -> list[ModelOutcome]:
    """Return the result of each model of a run."""
    return [_outcome(work, name) for name in work.classes]


def _outcome(work: Work, name: str) -> ModelOutcome:
    fitted, skill, deployed = work.fitted.get(name), work.skills.get(name), work.deployed.get(name)
    return ModelOutcome(
        model=name,
        version=None if fitted is None else fitted.version,
        skill=None if skill is None else skill.mean,
        skill_error=None if skill is None else skill.error,
        role=None if deployed is None else deployed.role,
        why="" if deployed is None else deployed.why,
        error=work.failures.get(name),
    )
