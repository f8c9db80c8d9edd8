"""Register: each version's provenance, beside its artifact and in MLflow, and the reference for new rows."""

import msgspec

from learning.runs.step_results import Registered, StoredReference
from learning.runs.work import Work
from models.drift.reference import Reference
from models.registry import provenance


def register(work: Work) -> None:
    """Fit the reference to the training data once, then register every version that was fitted."""
    origin = work.data()

    def refer() -> StoredReference:
        reference = Reference.fit(work.frames, work.definition.names, origin.seed)
        reference.save(work.models)
        return StoredReference(reference.id)

    depends = (origin, sorted(work.settings.universe.items()))
    work.reference = work.once("register", None, depends, StoredReference, refer).reference
    work.each("register", work.fitted, lambda name: _one(work, name))


def _one(work: Work, name: str) -> None:
    fitted, skill = work.fitted[name], work.skills.get(name)
    path = work.models / name / fitted.version
    origin = msgspec.structs.replace(
        work.data(), parameters=fitted.parameters, reference=work.reference, run_id=fitted.mlflow_run_id
    )

    def make() -> Registered:
        provenance.write(path, origin)
        if skill is not None:
            skill.save(path)
        work.tracker.register(name, fitted.version, path, fitted.mlflow_run_id)
        return Registered(fitted.version, str(path))

    work.once("register", name, (origin, skill), Registered, make)
    work.registered.append(name)
