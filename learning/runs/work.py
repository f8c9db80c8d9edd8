"""The context of a run's steps: its options, the results of earlier steps, and their storage."""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from features.definition import Definition
from features.frame import BarFrame, FeatureFrame
from learning.runs import bar_snapshot
from learning.runs.lease import RunLease
from learning.runs.step_results import Deployed, TrainedModel, WalkForwardSkill
from learning.tracking.tracker import MlflowRun, Tracker
from learning.training.memory_limit import explained
from models.registry.model_registry import ServedClass
from models.registry.provenance import Provenance
from models.search_space import Value
from settings import Settings
from storage.errors import StorageError, reason

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(kw_only=True)
class Work:
    """A run in progress. A step's results are for later steps; `failures` has the first failure of each model."""

    settings: Settings
    lease: RunLease
    tracker: Tracker
    run: MlflowRun
    on_message: Callable[[str], None]
    warned: Callable[[str], None]
    classes: dict[str, ServedClass] = field(default_factory=dict)
    bars: list[BarFrame] = field(default_factory=list)
    definition: Definition = field(default_factory=Definition)
    first: bool = False
    """Whether there was no definition yet: then the trained models go into service at once."""
    frames: list[FeatureFrame] = field(default_factory=list)
    origin: Provenance | None = None
    parameters: dict[str, dict[str, Value]] = field(default_factory=dict)
    fitted: dict[str, TrainedModel] = field(default_factory=dict)
    skills: dict[str, WalkForwardSkill] = field(default_factory=dict)
    reference: str | None = None
    registered: list[str] = field(default_factory=list)
    deployed: dict[str, Deployed] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder of the run's results."""
        return self.settings.home / "pipeline" / self.lease.run.run_id

    @property
    def models(self) -> Path:
        """The folder of the artifacts."""
        return self.settings.home / "models"

    def data(self) -> Provenance:
        """Return the training data."""
        assert self.origin is not None  # noqa: S101 - the step `features` sets it
        return self.origin

    def once(self, step: str, model: str | None, depends: object, kind: type[T], make: Callable[[], T]) -> T:
        """Return a step's result: the saved one from before an interruption, or a new one.

        The result is its record's detail. An error for lack of memory is raised in one line.
        """
        key = hashlib.sha256(repr(depends).encode()).hexdigest()
        path = self.folder / step / f"{model or 'all'}.json"
        kept = _read(path, key, kind)
        if kept is not None and self.lease.is_done(step, model):
            return kept
        with self.lease.step(step, model) as detail, out_of_memory_told():
            made = kept or make()
            _write(path, key, made)
            detail.update(msgspec.to_builtins(made))
        return made

    def each(self, step: str, names: Iterable[str], act: Callable[[str], None]) -> None:
        """Do something for each model; a failure is recorded and the others continue.

        StorageError is raised: without the database nothing can be recorded, and the run is resumed later.
        """
        for name in names:
            try:
                act(name)
            except StorageError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a library raises, it is this model's failure alone
                self.failures.setdefault(name, f"{step}: {reason(error)}")

    @contextmanager
    def tracked(self, step: str, model: str) -> Iterator[MlflowRun]:
        """Open the model's run of a step in MLflow, below the pipeline's; after an interruption the same one."""
        path = self.folder / step / f"{model}.mlflow"
        known = path.read_text() if path.exists() else None
        with self.tracker.run(f"{model} {self.lease.run.run_id}", step, parent=self.run, run_id=known) as run:
            if run.run_id is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(run.run_id)
            yield run

    def tidy(self) -> None:
        """Remove the files needed only to resume the run."""
        bar_snapshot.remove(self.folder)
        for path in (*self.folder.glob("train/*.checkpoint"), *self.folder.glob("evaluate/fold *")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def out_of_memory_told() -> Iterator[None]:
    """Replace an error for lack of memory by a message."""
    try:
        yield
    except Exception as error:
        line = explained(error)
        if line is None:
            raise
        raise ValueError(line) from error


def _read(path: Path, key: str, kind: type[T]) -> T | None:
    if not path.exists():
        return None
    result = msgspec.json.decode(path.read_bytes())
    return msgspec.convert(result["result"], kind) if result["key"] == key else None


def _write(path: Path, key: str, made: msgspec.Struct) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(msgspec.json.encode({"key": key, "result": made}))
    draft.replace(path)
