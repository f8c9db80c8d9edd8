"""What is stored of every model: its versions, and the files beside each artifact. No model is loaded."""

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from learning.runs.step_results import WalkForwardSkill
from learning.tracking.learning_curve import Curve
from models import artifact
from models.importance import Importance
from models.registry import listing, provenance
from models.registry.provenance import Provenance

FAILURES = (OSError, ValueError, msgspec.DecodeError)


@dataclass(frozen=True, kw_only=True)
class Version:
    """One stored version, with what lies beside its artifact; None where nothing does.

    `written` is when the artifact was, in seconds since 1970. `problem` is why its files cannot be read.
    """

    model: str
    version: str
    written: float
    in_service: bool = False
    provenance: Provenance | None = None
    skill: WalkForwardSkill | None = None
    importance: Importance | None = None
    curve: Curve | None = None
    problem: str = ""


@dataclass(frozen=True)
class Catalogue:
    """The stored versions by model, the newest first; `problem` is why it is unknown which are in service."""

    models: dict[str, tuple[Version, ...]]
    problem: str = ""

    def find(self, model: str | None, version: str | None) -> Version | None:
        """Return a version, None if there is none of these names."""
        return next((one for one in self.models.get(model or "", ()) if one.version == version), None)


Known = dict[Path, tuple[int, Version]]
"""What was read before, by folder, with when the folder was changed: files are replaced in it, never written over."""


def read(folder: Path, known: Known) -> Catalogue:
    """Return what is below <home>/models; a file that cannot be read is reported in its version.

    Only what has changed since it became `known` is read again.
    """
    serving: dict[str, str] = {}
    problem = ""
    names = listing.names(folder)
    if names:
        try:
            serving = listing.serving(folder)
        except ValueError as error:
            problem = str(error)
    models = {
        name: tuple(
            sorted(
                (_version(folder, name, version, serving.get(name) == version, known) for version in versions),
                key=lambda one: (-_trained(one), one.version),
            )
        )
        for name in names
        if (versions := listing.versions(folder, name))
    }
    return Catalogue(models, problem)


def _trained(version: Version) -> float:
    """Return what versions are sorted by: the end of the training's data, else when the artifact was written."""
    return version.provenance.last / 1000 if version.provenance else version.written


def _version(folder: Path, model: str, version: str, in_service: bool, known: Known) -> Version:
    path = folder / model / version
    changed = path.stat().st_mtime_ns
    before, found = known.get(path, (None, None))
    if found is None or before != changed:
        found = _read(path, model, version)
    if found.in_service != in_service:
        found = replace(found, in_service=in_service)
    known[path] = changed, found
    return found


def _read(path: Path, model: str, version: str) -> Version:
    written = (path / artifact.FILE).stat().st_mtime
    try:
        curve = Curve.load(path)
        return Version(
            model=model,
            version=version,
            written=written,
            provenance=provenance.read(path),
            skill=WalkForwardSkill.load(path),
            importance=Importance.load(path),
            curve=curve if curve.points else None,
        )
    except FAILURES as error:
        return Version(model=model, version=version, written=written, problem=str(error))
