"""Register: where each version comes from, beside its artifact and in MLflow; and what new rows are compared with."""

import msgspec

from learning.results import Referred, Registered
from learning.work import Work
from models import provenance
from models.reference import Reference


def register(work: Work) -> None:
    """Fit the reference to the training data once, then register every version that was fitted."""
    origin = work.data()

    def refer() -> Referred:
        found = Reference.fit(work.frames, work.definition.names, origin.seed)
        found.save(work.models)
        return Referred(found.id)

    depends = (origin, sorted(work.settings.universe.items()))
    work.reference = work.once("register", None, depends, Referred, refer).reference
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
