"""What the steps of a run share: what it was asked, what the steps before have made, and how results are kept."""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from features.definition import Definition
from features.frame import BarFrame, FeatureFrame
from learning import bar_copy
from learning.held import Held
from learning.memory import explained
from learning.results import Deployed, Fitted, Skill
from learning.tracking import Run, Tracker
from models.provenance import Provenance
from models.space import Value
from settings import Settings
from storage.errors import StorageError, reason

T = TypeVar("T", bound=msgspec.Struct)


@dataclass
class Work:
    """A run while it is at work. What a step makes is for those after it; `failures` has the first of each model."""

    settings: Settings
    held: Held
    tracker: Tracker
    run: Run
    told: Callable[[str], None]
    warned: Callable[[str], None]
    classes: dict[str, type[Any]] = field(default_factory=dict)
    bars: list[BarFrame] = field(default_factory=list)
    definition: Definition = field(default_factory=Definition)
    first: bool = False
    """Whether no features were defined yet: then what is trained goes straight into service."""
    frames: list[FeatureFrame] = field(default_factory=list)
    origin: Provenance | None = None
    parameters: dict[str, dict[str, Value]] = field(default_factory=dict)
    fitted: dict[str, Fitted] = field(default_factory=dict)
    skills: dict[str, Skill] = field(default_factory=dict)
    reference: str | None = None
    registered: list[str] = field(default_factory=list)
    deployed: dict[str, Deployed] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the run keeps what it has made."""
        return self.settings.home / "pipeline" / self.held.run.run_id

    @property
    def models(self) -> Path:
        """Where the artifacts lie."""
        return self.settings.home / "models"

    def data(self) -> Provenance:
        """Return what the models are trained on."""
        assert self.origin is not None  # noqa: S101 - the step `features` sets it
        return self.origin

    def once(self, step: str, model: str | None, depends: object, kind: type[T], make: Callable[[], T]) -> T:
        """Return what a step makes of what it depends on: kept from before the run was interrupted, or made now.

        What was made is its record's detail. An error is raised in one line where it is for want of memory.
        """
        key = hashlib.sha256(repr(depends).encode()).hexdigest()
        path = self.folder / step / f"{model or 'all'}.json"
        kept = _read(path, key, kind)
        if kept is not None and self.held.is_done(step, model):
            return kept
        with self.held.step(step, model) as detail, out_of_memory_told():
            made = kept or make()
            _write(path, key, made)
            detail.update(msgspec.to_builtins(made))
        return made

    def each(self, step: str, names: Iterable[str], act: Callable[[str], None]) -> None:
        """Do something for each model; where one fails, that is noted and the others go on.

        StorageError is raised: without the database nothing can be written down, and the run is resumed later.
        """
        for name in names:
            try:
                act(name)
            except StorageError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a library raises, it is this model's failure alone
                self.failures.setdefault(name, f"{step}: {reason(error)}")

    @contextmanager
    def tracked(self, step: str, model: str) -> Iterator[Run]:
        """Open the model's run of a step in MLflow, below the pipeline's; after an interruption the same again."""
        path = self.folder / step / f"{model}.mlflow"
        known = path.read_text() if path.exists() else None
        with self.tracker.run(f"{model} {self.held.run.run_id}", step, parent=self.run, run_id=known) as run:
            if run.run_id is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(run.run_id)
            yield run

    def tidy(self) -> None:
        """Remove what only a resumed run needs."""
        bar_copy.remove(self.folder)
        for path in (*self.folder.glob("train/*.checkpoint"), *self.folder.glob("evaluate/fold *")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def out_of_memory_told() -> Iterator[None]:
    """Let an error for want of memory say so."""
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
    found = msgspec.json.decode(path.read_bytes())
    return msgspec.convert(found["result"], kind) if found["key"] == key else None


def _write(path: Path, key: str, made: msgspec.Struct) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(msgspec.json.encode({"key": key, "result": made}))
    draft.replace(path)
