"""The results of a run's steps, which are also the details of their records."""

from pathlib import Path

import msgspec

from models.search_space import Value

FILE = "skill.json"


class WalkForwardSkill(msgspec.Struct, frozen=True):
    """A model's skill in the walk forward: 1 - its pinball loss / the naive model's, the mean over days and horizons.

    `error` is the standard error over the `days`. None is unknown.
    """

    mean: float | None
    error: float | None
    days: int

    def save(self, folder: Path) -> None:
        """Write it beside an artifact, for comparison with later versions."""
        draft = folder / f".{FILE}.draft"
        draft.write_bytes(msgspec.json.encode(self))
        draft.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> "WalkForwardSkill | None":
        """Return the skill beside an artifact, None if it was never walked forward."""
        path = folder / FILE
        return msgspec.json.decode(path.read_bytes(), type=cls) if path.exists() else None


class Tuned(msgspec.Struct, frozen=True):
    """The result of a study: the best parameters, and whether they are clearly better than the untuned ones."""

    study: str
    better: bool
    parameters: dict[str, Value]
    numbers: dict[str, float]


class TrainedModel(msgspec.Struct, frozen=True):
    """A fitted model: its version, its parameters that are not the defaults, its run in MLflow."""

    version: str
    seconds: float
    parameters: dict[str, Value] = {}
    mlflow_run_id: str | None = None


class Evaluated(msgspec.Struct, frozen=True):
    """Each model's skill in the walk forward, and why some were not scored."""

    folds: list[str]
    skills: dict[str, WalkForwardSkill]
    failed: dict[str, str] = {}


class StoredReference(msgspec.Struct, frozen=True):
    """The sample of the training data that new rows are compared with."""

    reference: str


class Registered(msgspec.Struct, frozen=True):
    """A version with its provenance beside it."""

    version: str
    path: str


class Deployed(msgspec.Struct, frozen=True):
    """The result for a version: ``challenger``, ``champion``, ``unchanged`` or ``refused``; and why."""

    version: str
    role: str
    why: str
    number: int | None = None
